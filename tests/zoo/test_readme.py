"""README.md: what it prints can be typed, and what it says is so.

Each printed line is run on small data, or `NOT_RUN` says why it cannot be; all are parsed.
"""

import configparser
import itertools
import re
import runpy
import shlex
import shutil
from pathlib import Path

import pytest
import torch

import zoo
from benchmark import published
from benchmark.cost.macs import count_gmacs
from benchmark.datasets.catalogue import find_kind
from benchmark.published.bibliography import PAPERS
from benchmark.recipes import UNIFIED
from tests.conftest import TINY, TINY_SET, command
from tests.zoo.checkpoints.ste_nvan_file import released
from zoo import plugins, registry

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.M | re.S)
LINES = [
    line.partition("  #")[0].strip()
    for kind, block in BLOCKS
    for line in block.splitlines()
    if kind == "sh"
]
MOST_LINES = 188
SMALL = "synthetic[identities=4,cameras=2,tracklets=2,frames=4,size=64]"
QUICKLY = ["--recipe", "quick", *TINY_SET, "--set", "epochs=1", "--workers", "0", "--device", "cpu"]
BENCH = ["--dataset", SMALL, "--seeds", "1", *QUICKLY]
MARS = [*QUICKLY, "--seeds", "1", "--limit", "4"]
MINE = """
from methods.sta import STA


def mine(backbone="resnet50", num_classes=0):
    return STA(backbone, num_classes)


METHODS = (mine,)
"""
# what is typed after the printed line, to make it small: the last of an option counts
RUN = {
    "zoo bench --methods nvan,stenvan,sta --seeds 3": BENCH,
    "zoo bench --methods 'sta[blocks=8]' --dataset mars --data-root ~/data/mars --dry-run": [
        *MARS,
        *("--set", "height=128"),  # for eight blocks
    ],
    "zoo bench --methods sta --sweep occlusion=0:0.8:0.2": [*BENCH, "--sweep", "occlusion=0:1:1"],
    "zoo eval RUN --protocol all --distance l2sq-raw": [],
    "zoo cost --against published": ["--methods", "resnet50_avg"],
    "zoo reproduce stenvan/1 --dataset mars --data-root DIR": [*MARS, "--dry-run"],
    "zoo report results/a results/b -o both --format md,html,tex,csv": [],
    "zoo inspect RUN --worst 5": ["--worst", "1"],
    "zoo compare results/a --methods stenvan,sta": [],
    "zoo score RUN --dataset folder --data-root DIR": [
        "--dataset",
        "mars",
        "--workers",
        "0",
        "--device",
        "cpu",
    ],
    "zoo new method ours": [],
    "zoo check mine --plugin my_method.py": [],
    "zoo tune --methods stenvan,sta --trials 20": [*BENCH, "--trials", "1", "--dry-run"],
    "zoo list methods": [],
    "zoo pull stenvan.synthetic": [],
    "zoo embed FOLDER --checkpoint stenvan.synthetic -o features.npz": ["--workers", "0"],
    "zoo convert released STE_NVAN.pth --as stenvan": [],
    "zoo data check mars --data-root ~/data/mars": [],
    "zoo bench --methods nvan,stenvan,resnet50_avg --dataset mars --data-root ~/data/mars --limit 8"
    " --set epochs=1 --out results/try": MARS,
    "zoo bench --methods nvan,stenvan,resnet50_avg --dataset mars --data-root ~/data/mars --seeds 3"
    " --dry-run": MARS,
    "zoo bench --methods nvan,stenvan,resnet50_avg --dataset mars --data-root ~/data/mars --seeds 3"
    " --out results/mars": [*MARS, "--dry-run"],
    "zoo report results/mars --check": [],
}
NOT_RUN = {
    "git clone URL-OF-THIS-REPOSITORY video-reid-zoo && cd video-reid-zoo": "no network",
    "make bench": "it installs an environment",
    "make test": "it is what runs this",
    "python3 -m venv .venv": "it makes an environment",
    ".venv/bin/python -m pip install 'torch>=2.6' 'torchvision>=0.21' --index-url "
    "https://download.pytorch.org/whl/cpu": "no network",
    "mkdir -p ~/data/mars && unzip -q bbox_train.zip -d ~/data/mars && unzip -q bbox_test.zip -d "
    "~/data/mars": "no archive",
    "git clone https://github.com/liangzheng06/MARS-evaluation ~/data/mars/MARS-evaluation": (
        "no network"
    ),
    "zoo bench --pretrained": "it renders the whole set: tests/zoo/experiment/test_pretrained.py",
    "torchrun --nproc-per-node 8 -m zoo bench --methods nvan": (
        "eight processes: tests/zoo/experiment/test_team.py has two"
    ),
    "zoo bench --methods all --seeds 3 --engine ray": "a cluster: tests/zoo/experiment/engines",
    "zoo search QUERIES --in features.npz --sheet nearest.png": "it follows `zoo embed`, below",
    "zoo export stenvan.synthetic --format torch": "slow: tests/zoo/checkpoints/test_export.py",
}


def test_every_printed_line_is_run_or_has_a_reason_why_not():
    assert sorted(LINES) == sorted([*RUN, *NOT_RUN])


@pytest.mark.parametrize("line", [line for line in LINES if re.search(r"\bzoo [a-z]+ ", line)])
def test_every_printed_command_has_the_options_that_are_printed(line):
    from typer.main import get_command

    from zoo.cli.app import build

    words = shlex.split(line)
    words = words[words.index("zoo") + 1 :]
    node = get_command(build())
    while hasattr(node, "commands") and words:
        assert words[0] in node.commands, line
        node, words = node.commands[words[0]], words[1:]
    options = {option for parameter in node.params for option in parameter.opts}
    assert {word for word in words if word.startswith("-")} <= options


# ---- run on small data ---------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def nothing_added(monkeypatch):
    """What a line brings along is gone after it."""
    monkeypatch.setattr(plugins, "_ADDED", {"METHODS": {}, "DATASETS": {}})


@pytest.fixture(scope="session")
def place(tmp_path_factory, people):
    """A folder to type in, with what the words of the README stand for."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "my_method.py").write_text(MINE)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("ZOO_CACHE", str(folder / "cache"))
        words = ["--methods", "stenvan,sta", *BENCH, "--out", "results/a"]
        assert command("bench", *words) == 0
    (rendered,) = (folder / "cache" / "data").glob("synthetic-*")
    shutil.copytree(rendered, folder / "mars")
    for name in ("b", "mars"):
        shutil.copytree(folder / "results" / "a", folder / "results" / name)
    torch.save(released("stenvan"), folder / "STE_NVAN.pth")
    return folder


@pytest.fixture
def words_of(place, people, monkeypatch):
    """A printed line as words, its placeholders filled in."""
    (run,) = (place / "results" / "a" / "runs").glob("sta-*")
    stand_for = {"RUN": run, "DIR": place / "mars", "~/data/mars": place / "mars"}
    stand_for |= {"FOLDER": people / "gallery", "QUERIES": people / "query"}
    monkeypatch.chdir(place)
    monkeypatch.setenv("ZOO_CACHE", str(place / "cache"))
    return lambda line: [str(stand_for.get(word, word)) for word in shlex.split(line)[1:]]


@pytest.mark.slow
@pytest.mark.parametrize("line", RUN)
def test_a_printed_command_works(line, words_of, capsys):
    assert command(*words_of(line), *RUN[line]) == 0, capsys.readouterr().err


@pytest.mark.slow
def test_what_was_embedded_is_searched(words_of, place, capsys):
    embed, search = (
        next(line for line in LINES if line.startswith(f"zoo {name} "))
        for name in ("embed", "search")
    )
    assert command(*words_of(embed), "--workers", "0") == 0
    assert command(*words_of(search), "--workers", "0") == 0, capsys.readouterr().err
    assert (place / "nearest.png").is_file()


def test_both_python_blocks_run(people, tmp_path, monkeypatch):
    recipe, bench = zoo.recipe, zoo.bench
    small = {"dataset": "folder", "data_root": people, "workers": 0, "device": "cpu"}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        zoo, "recipe", lambda name, **more: recipe(name, **TINY | {"epochs": 1} | more), False
    )
    monkeypatch.setattr(zoo, "bench", lambda methods, **more: bench(methods, **small | more), False)
    for number, block in enumerate(block for kind, block in BLOCKS if kind == "python"):
        (tmp_path / f"{number}.py").write_text(block)
    runpy.run_path(str(tmp_path / "0.py"), {"clips": torch.randn(2, 4, 3, 128, 64)})
    names = runpy.run_path(str(tmp_path / "1.py"))
    assert len(names["result"].records) == 6 and (tmp_path / "out" / "report.md").is_file()


# ---- what it says --------------------------------------------------------------------------------


def test_it_stays_short():
    assert len(TEXT.splitlines()) <= MOST_LINES


def test_every_file_that_it_links_is_there():
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", TEXT)
    assert all((ROOT / link).exists() for link in links if "://" not in link)
    assert any("docs/" in link for link in links)


def test_the_build_for_cpus_has_the_lower_bounds_of_the_package():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    needed = setup["options"]["install_requires"].split()
    (line,) = [line for line in LINES if "--index-url" in line]
    asked = [word for word in shlex.split(line) if ">=" in word]
    assert len(asked) == 2 and set(asked) <= set(needed)


def rows_of_methods():
    """The rows of the methods' table: names, paper and hours."""
    section = TEXT.partition("## Methods")[2].partition("\n## ")[0]
    rows = [row.strip("| ").split(" | ") for row in re.findall(r"^\| `.*$", section, re.M)]
    for names, _, paper, hours in rows:
        spelled = []
        for name in re.findall(r"`([^`]+)`", names):
            stem, *ends = name.split("/")
            spelled += [stem, *(f"{stem.rpartition('_')[0]}_{end}" for end in ends)]
        yield spelled, paper, hours


def test_every_method_stands_in_the_table_once():
    listed = [name for names, *_ in rows_of_methods() for name in names]
    assert sorted(listed) == sorted(method.__name__ for method in registry.METHODS)


def test_papers_are_linked_where_the_bibliography_says():
    linked = re.findall(r"\]\((https[^)]+)\)", "".join(paper for _, paper, _ in rows_of_methods()))
    assert sorted(linked) == sorted(paper.link for paper in PAPERS)


@pytest.mark.slow
@pytest.mark.parametrize("row", list(rows_of_methods()), ids=lambda row: row[0][0])
def test_hours_are_those_of_the_counted_work(row):
    (name, *_), _, hours = row
    persons = find_kind("mars").reference_counts["mars"]["train persons"]
    steps = UNIFIED.epochs * (persons // UNIFIED.ids_per_batch)
    clips = steps * UNIFIED.ids_per_batch * UNIFIED.clips_per_id
    assert f"{clips:,} clips" in TEXT and clips == 499_200
    size = (UNIFIED.height, UNIFIED.width)
    model = registry.create(name, 0, size=size, frames=UNIFIED.frames, neck=UNIFIED.neck).eval()
    gmacs = count_gmacs(model, torch.zeros(1, UNIFIED.frames, 3, *size))
    operations = 2 * 3 * gmacs * 1e9 * clips
    assert hours == f"{operations / 20e12 / 3600:.1f}"


def test_published_figures_are_the_papers_and_measured_ones_are_none():
    section = TEXT.partition("| rank-1 / mAP on MARS |")[2].partition("\n\n")[0]
    names, _, printed, measured = (
        [cell.strip(" `") for cell in row.strip("|").split("|")] for row in section.splitlines()
    )
    rows = published.load()
    rows = rows[(rows["paper"] == "stenvan") & (rows["table"].astype(str) == "1")]
    rows = rows[rows["dataset"] == "mars"]
    for name, cell in zip(names, printed[1:], strict=True):
        own = rows[rows["method"] == name].set_index("metric")["value"]
        assert cell == f"{own['R1']:.1f} / {own['mAP']:.1f}"
    assert measured == ["measured here on MARS", *itertools.repeat("nothing yet", len(names))]
