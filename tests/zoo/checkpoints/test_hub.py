"""The Hugging Face hub, played by a server on loopback."""

import huggingface_hub
import pytest

from tests.zoo.checkpoints.pulling import DATA, NAME, OTHER, leftovers, pull_in_a_process
from tests.zoo.loopback import good, status
from zoo.checkpoints import hub

HUB = {"X-Repo-Commit": "a" * 40}


def from_hub(server, home, source="hf://me/repo/sta.safetensors@v1"):
    """Pull from a hub on loopback, with a token that nobody may see."""
    process = pull_in_a_process(
        home,
        source,
        HF_ENDPOINT=f"http://127.0.0.1:{server.port}",
        HF_TOKEN="hf_SECRETSECRETSECRET",  # noqa: S106 - nobody's: it must appear nowhere
        HF_HOME=str(home / "hf"),
    )
    out, err = process.communicate(timeout=120)
    assert "SECRET" not in out + err
    kept = [p for p in (home / "cache").rglob("*") if p.is_file()]
    assert not any(b"SECRETSECRET" in p.read_bytes() for p in kept)
    return process.returncode, out, err


def test_the_hub_gives_a_file_at_a_revision(server, settings, tmp_path):
    server.at("/me/repo/resolve/v1/sta.safetensors", good(DATA, headers=HUB))
    code, _, err = from_hub(server, tmp_path)
    assert code == 0, err
    assert (settings.cache / f"{NAME}.safetensors").read_bytes() == DATA and leftovers(
        settings
    ) == []
    sent = [{k.lower(): v for k, v in headers.items()} for headers in server.gets()]
    assert sent[-1]["authorization"] == "Bearer hf_SECRETSECRETSECRET"


def test_the_hub_s_folder_cannot_be_led_elsewhere(server, settings, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    settings.cache.mkdir()
    (settings.cache / f".{NAME}.hub").symlink_to(tmp_path / "elsewhere")
    server.at("/me/repo/resolve/v1/sta.safetensors", good(DATA, headers=HUB))
    assert from_hub(server, tmp_path)[0] == 0
    assert list((tmp_path / "elsewhere").iterdir()) == [] and leftovers(settings) == []


def test_a_wrong_file_of_the_hub_is_refused(server, settings, tmp_path):
    server.at("/me/repo/resolve/v1/sta.safetensors", good(OTHER, headers=HUB))
    code, _, err = from_hub(server, tmp_path)
    assert code == 1 and "gives sha256" in err.splitlines()[-1]
    assert not (settings.cache / f"{NAME}.safetensors").exists() and leftovers(settings) == []


@pytest.mark.parametrize(
    ("error", "says"),
    [
        ("RepoNotFound", "has no such repository, or it is private"),
        ("RevisionNotFound", "has no such revision"),
        ("EntryNotFound", "has no such file"),
        ("GatedRepo", "asks for its terms to be accepted"),
        ("Unheard", "answers 404"),
    ],
)
def test_what_the_hub_refuses_is_one_line(server, settings, tmp_path, error, says):
    code = 403 if error == "GatedRepo" else 404
    server.at("/me/repo/resolve/v1/sta.safetensors", status(code, X_Error_Code=error))
    rc, _, err = from_hub(server, tmp_path)
    assert rc == 1 and says in err.splitlines()[-1], err


def test_a_repository_s_name_is_checked_before_anything_is_sent(tmp_path):
    with pytest.raises(ValueError, match="no owner/repository"):
        hub.upload(tmp_path, "https://x", [], object())


def test_a_reason_holds_no_address_and_no_token():
    error = RuntimeError("bad token hf_abcDEF123 for https://hub/x?sig=SECRET\nand more")
    assert hub.reason(error) == "RuntimeError: bad token … for … and more"
    missing = huggingface_hub.errors.LocalTokenNotFoundError("no token")
    assert hub.reason(missing) == "asks for a login: `hf auth login`"
