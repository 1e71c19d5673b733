"""The Hugging Face hub: one file from it, and one folder to it.

Its own library makes the requests and knows the user's token; the token never passes through here.
"""

import re
import shutil
from pathlib import Path

from zoo.checkpoints.http import Unavailable
from zoo.checkpoints.sources import Hub

UPLOADED = "Checkpoint of video-reid-zoo"


def download(source: Hub, part: Path) -> None:
    """Bring a file of the hub to ``part``; an interrupted download is resumed.

    Raises:
        Unavailable: it cannot be had; one line, without a token.
    """
    import huggingface_hub as library
    from huggingface_hub.utils import disable_progress_bars

    staging = _staging(part)
    if staging.is_symlink():
        staging.unlink()
    disable_progress_bars()
    try:
        got = library.hf_hub_download(
            source.repo,
            source.file,
            revision=source.revision,
            local_dir=staging,
            library_name="video-reid-zoo",
        )
        if Path(got).is_symlink():
            raise Unavailable("gives a link instead of a file")
        Path(got).replace(part)
    except Unavailable:
        raise
    except Exception as error:  # the library, its client and the hub each raise their own
        raise Unavailable(reason(error)) from None
    delete_staging(part)


def delete_staging(part: Path) -> None:
    """Delete what the library has kept of an unfinished download."""
    staging = _staging(part)
    if staging.is_symlink():
        staging.unlink()
    elif staging.is_dir():
        shutil.rmtree(staging)


def _staging(part: Path) -> Path:
    return part.with_suffix(".hub")


def upload(folder: Path, repo: str, files: list[str], hub: object | None = None) -> str:
    """Put the named files of a folder into a repository; it is made, private, if it is new.

    Args:
        folder: what `zoo publish` wrote.
        repo: ``owner/name``.
        files: names of files in it; nothing else is uploaded.
        hub: a `huggingface_hub.HfApi`; None is one with the user's own token.

    Returns:
        The commit, which pins these very files.

    Raises:
        OSError: the hub does not take them; one line, without a token.
    """
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repo):
        raise ValueError(f"--hub {repo!r} is no owner/repository")
    if hub is None:
        import huggingface_hub

        hub = huggingface_hub.HfApi(library_name="video-reid-zoo")
    try:
        hub.create_repo(repo, private=True, exist_ok=True)
        made = hub.upload_folder(
            repo_id=repo, folder_path=folder, allow_patterns=files, commit_message=UPLOADED
        )
    except Exception as error:  # as above
        raise OSError(f"the hub does not take {repo}: {reason(error)}") from None
    return str(made.oid)


def reason(error: Exception) -> str:
    """Why, in one line: no address, since it may be signed, and nothing that looks like a token."""
    known = {
        "GatedRepoError": "asks for its terms to be accepted on its page, with a login",
        "RepositoryNotFoundError": "has no such repository, or it is private: `hf auth login`",
        "RevisionNotFoundError": "has no such revision",
        "RemoteEntryNotFoundError": "has no such file",
        "EntryNotFoundError": "has no such file",
        "LocalEntryNotFoundError": "cannot be reached",
        "LocalTokenNotFoundError": "asks for a login: `hf auth login`",
        "OfflineModeIsEnabled": "is switched off by HF_HUB_OFFLINE",
    }
    if type(error).__name__ == "LocalEntryNotFoundError" and hasattr(error.__cause__, "response"):
        error = error.__cause__  # the hub did answer
    for kind in type(error).__mro__:
        if kind.__name__ in known:
            return known[kind.__name__]
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status is not None:
        return f"answers {status}"
    text = " ".join(str(error).split())
    text = re.sub(r"\S*://\S*", "…", re.sub(r"hf_\w+", "…", text))
    return f"{type(error).__name__}: {text[:150]}".rstrip(": ")
