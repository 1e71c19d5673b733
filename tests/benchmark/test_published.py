"""What the papers print, against the papers and against itself."""

import subprocess
import sys
from importlib.resources import files

import pandas as pd
import pytest

from benchmark import published

# rows of each table of results
ROWS = {
    "stenvan": {1: 6, 2: 3, 3: 3, 4: 3, 5: 3, 6: 10},
    "nlam": {1: 6, 3: 4, 4: 4, 5: 2, 6: 3, 7: 15},
    "sta": {1: 6, 2: 4, 3: 3, 4: 12, 5: 2},
    "resnet3d": {2: 3, 3: 3, 4: 14},
    "psta": {0: 1},
    "sinet": {0: 4},
    "ap3d": {0: 2},
    "cosam": {0: 1},
    "tclnet": {0: 2},
    "bicnet": {0: 1},
    "tf_clip": {1: 1, 2: 6, 101: 2, 103: 1, 105: 5, 107: 2},
}
CELLS = {
    ("tf_clip", 2): 36,
    ("stenvan", 1): 30,
    ("nlam", 7): 45,
    ("sta", 4): 42,
    ("resnet3d", 4): 38,
}
CELL = ["paper", "table", "row", "dataset", "metric"]
BY_HAND = [
    ("stenvan", 1, 6, "mars", "R1", 88.9, "STE-NVAN, FPL"),
    ("stenvan", 1, 6, None, "GFLOP", 16.5, "STE-NVAN, FPL"),
    ("stenvan", 1, 2, "duke_video", "mAP", 92.4, "ResNet-50, max-FPL"),
    ("stenvan", 2, 1, "duke_video", "mAP", 92.7, "T = 4"),
    ("stenvan", 3, 3, "duke_video", "mAP", 94.9, "5 layers"),
    ("stenvan", 4, 2, "duke_video", "R1", 96.1, "S = 8"),
    ("stenvan", 5, 2, None, "GFLOP", 53.6, "+stage 4"),
    ("stenvan", 6, 5, "mars", "mAP", 67.4, "ETAP-Net(supervised)"),
    ("nlam", 1, 5, "mars", "R20", 97.4, "SE-ResNet50, TA"),
    ("nlam", 3, 1, "mars", "mAP", 70.6, "2"),
    ("nlam", 4, 4, "duke_video", "R1", 95.1, "3,4,5"),
    ("nlam", 5, 1, "mars", "R5", 95.7, "TP"),
    ("nlam", 6, 2, "mars", "mAP", 78.9, "N = 4"),
    ("nlam", 7, 9, "mars", "R1", 84.9, "SE-ResNet50 + COSAM + TP_avg"),
    ("nlam", 7, 14, "duke_video", "mAP", 94.1, "SE-ResNet50 + COSAM + TP_avg"),
    ("sta", 1, 5, "duke_video", "R10", 99.1, "Baseline + TL + STA + Fusion"),
    ("sta", 2, 3, "mars", "mAP", 81.0, "N=6"),
    ("sta", 3, 3, "mars", "R5", 95.3, "K=8"),
    ("sta", 4, 12, "mars", "mAP", 87.7, "STA + ReRank"),
    ("sta", 5, 1, "duke_video", "R20", 97.6, "ETAP-Net(supervised)"),
    ("resnet3d", 2, 2, "mars", "mAP", 72.6, "ResNet3D-50"),
    ("resnet3d", 3, 2, "mars", "R5", 92.6, "ReID"),
    ("resnet3d", 4, 14, "ilids_vid", "R1", 81.3, "ours"),
    ("resnet3d", 4, 12, "prid2011", "R1", 90.3, "QAN"),
    ("ap3d", 0, 1, "duke_video", "mAP", 95.6, "AP3D"),
    ("ap3d", 0, 2, "mars", "R1", 90.7, "NL + AP3D"),
    ("cosam", 0, 1, "duke_video", "R1", 95.4, "SE-ResNet50 + COSAM(4,5) + TP"),
    ("cosam", 0, 1, "mars", "mAP", 79.9, "SE-ResNet50 + COSAM(4,5) + TP"),
    ("tclnet", 0, 1, "duke_video", "mAP", 96.2, "TCLNet"),
    ("tclnet", 0, 2, "mars", "mAP", 83.0, "TCLNet, cross-entropy alone"),
    ("bicnet", 0, 1, "lsvid", "mAP", 75.1, "BiCnet-TKS"),
    ("bicnet", 0, 1, "mars", "R1", 90.2, "BiCnet-TKS"),
    ("tf_clip", 1, 1, "lsvid", "mAP", 83.8, "TF-CLIP"),
    ("tf_clip", 2, 5, "lsvid", "R5", 96.7, "text branch, TMD"),
    ("tf_clip", 2, 3, "mars", "R1", 92.1, "CLIP-M, SSP"),
    ("tf_clip", 101, 2, "mars", "mAP", 86.3, "TF-CLIP on CLIP RN50"),
    ("tf_clip", 105, 3, "mars", "mAP", 87.5, "transformer with class token"),
    ("tf_clip", 107, 1, "mars", "R1", 90.2, "without CLIP-M"),
    ("psta", 0, 1, "mars", "mAP", 85.8, "PSTA"),
    ("psta", 0, 1, "prid2011", "R5", 98.9, "PSTA"),
    ("sinet", 0, 2, "lsvid", "R1", 86.2, "IDNet (ResNet50 + IDM)"),
    ("sinet", 0, 3, "mars", "mAP", 86.2, "SINet (ResNet50 + SBM + IDM)"),
    ("sinet", 0, 4, "mars", "R1", 91.2, "SANet (ResNet50 + SA Block)"),
]


@pytest.fixture(scope="module")
def frame():
    return published.load()


def one(frame, paper, table, row, dataset, metric):
    """The one cell at an address."""
    at = {"paper": paper, "table": table, "row": row, "metric": metric}
    found = frame[(frame[list(at)] == pd.Series(at)).all(axis=1)]
    found = found[found["dataset"].isna() if dataset is None else found["dataset"] == dataset]
    assert len(found) == 1
    return found.iloc[0]


def test_the_columns_are_those_promised(frame):
    assert tuple(frame.columns) == published.COLUMNS
    assert set(frame["paper"]) == set(published.PAPERS) == set(ROWS)


def test_every_table_has_all_its_rows_numbered_in_order(frame):
    for paper, tables in ROWS.items():
        own = frame[frame["paper"] == paper]
        assert set(own["table"]) == set(tables)
        for table, rows in tables.items():
            numbers = own.loc[own["table"] == table, "row"].drop_duplicates()
            assert list(numbers) == list(range(1, rows + 1)), (paper, table)


def test_no_table_loses_a_cell(frame):
    assert len(frame) == 610
    counts = frame.groupby(["paper", "table"]).size()
    assert {table: counts[table] for table in CELLS} == CELLS


@pytest.mark.parametrize("cell", BY_HAND, ids=lambda c: "-".join(str(part) for part in c[:5]))
def test_a_cell_read_by_hand_is_there(frame, cell):
    *address, value, system = cell
    found = one(frame, *address)
    assert (found["value"], found["system"]) == (value, system)


def test_a_row_has_one_system_method_and_number_of_frames(frame):
    for column in ("system", "method", "frames"):
        assert (frame.groupby(CELL[:3])[column].nunique(dropna=False) == 1).all(), column


def test_no_cell_comes_twice(frame):
    assert not frame.duplicated(CELL).any()


def test_a_figure_is_never_missing_nor_zero(frame):
    assert (frame["value"] > 0).all()


def test_percentages_are_percentages_and_name_their_data_set(frame):
    flop = frame["metric"] == "GFLOP"
    assert set(frame.loc[~flop, "metric"]) == {"R1", "R5", "R10", "R20", "mAP"}
    assert frame.loc[~flop, "value"].between(1, 100).all()
    datasets = {"mars", "duke_video", "prid2011", "ilids_vid", "lsvid"}
    assert set(frame.loc[~flop, "dataset"]) == datasets
    assert set(frame.loc[flop, "paper"]) == {"stenvan"}
    assert frame.loc[flop, "dataset"].isna().all()


def test_more_ranks_never_find_less(frame):
    curves = frame.pivot(index=CELL[:4], columns="metric", values="value")
    ranks = curves[["R1", "R5", "R10", "R20"]].ffill(axis=1)  # tables leave some of them out
    assert (ranks.diff(axis=1).iloc[:, 1:].fillna(0) >= 0).all(axis=None)


def test_a_model_has_the_same_figures_in_every_table_of_its_paper(frame):
    own = frame[frame["protocol"].notna() | (frame["metric"] == "GFLOP")]
    by_start = (own["paper"] == "resnet3d") & (own["table"] == 3) & (own["system"] != "Kinetics")
    triplet = own["system"].isin(["Baseline + TL", "TCLNet, cross-entropy alone"])
    stripes = {"nvan_s[stripes=16]": "nvan_s"}  # one network at 256 × 128
    own = own[~by_start & ~triplet].replace({"method": stripes})
    model = ["paper", "method", "frames", "dataset", "metric", "protocol"]
    groups = own.groupby(model, dropna=False)["value"]
    assert (groups.nunique() == 1).all()
    assert (groups.size() > 1).sum() >= 25  # it is no empty promise


def test_a_figure_quoted_of_another_of_these_papers_is_that_papers_own(frame):
    for metric in ("R1", "mAP"):
        for dataset in ("mars", "duke_video"):
            quoted = one(frame, "stenvan", 6, 8, dataset, metric)["value"]
            assert quoted == one(frame, "sta", 2, 4, dataset, metric)["value"]


def test_every_method_exists_and_is_in_its_canonical_form(frame):
    from zoo.registry import find

    methods = frame["method"].dropna().unique()
    assert [str(find(method)[1]) for method in methods] == list(methods)


def test_every_method_of_ours_has_a_published_figure(frame):
    from zoo.registry import METHODS

    ladder = {
        "c2d",
        "i3d",
        "ap_i3d",
        "p3d",
        "c2d_nl",
    }  # AP3D's ablation, whose print is not at hand
    ours = {function.__name__ for function in METHODS} - ladder
    assert ours <= set(frame["method"].dropna().str.partition("[")[0])


def test_a_method_has_its_clip_length_unless_it_works_frame_by_frame(frame):
    unknown = frame.loc[frame["method"].notna() & frame["frames"].isna(), "method"]
    assert set(unknown) == {"sta_baseline", "resnet50_image"}
    assert frame.loc[frame["method"].isna(), "frames"].isna().all()


def test_only_a_papers_own_figures_have_its_protocol(frame):
    assert frame.loc[frame["method"].isna(), "protocol"].isna().all()
    assert frame.loc[frame["metric"] == "GFLOP", "protocol"].isna().all()
    assert one(frame, "stenvan", 6, 8, "mars", "R1")[["protocol"]].isna().all()  # STA's figure
    assert "re-ranking" in one(frame, "sta", 4, 12, "mars", "mAP")["protocol"]
    assert "re-ranking" not in one(frame, "sta", 4, 11, "mars", "mAP")["protocol"]


def test_figures_that_came_through_others_say_through_whom(frame):
    through = frame[frame["table"] == 0]
    assert len(through) and through["note"].str.startswith("Third party: ").all()
    assert not frame.loc[frame["table"] > 0, "note"].fillna("").str.contains("Third party").any()


def test_doubtful_cells_say_why(frame):
    for address in (
        ("stenvan", 3, 3, "mars", "mAP"),
        ("stenvan", 6, 3, "mars", "R1"),
        ("sta", 1, 4, "duke_video", "mAP"),
        ("resnet3d", 4, 7, "prid2011", "R1"),
    ):
        assert one(frame, *address)["note"].startswith(("Doubtful: ", "Reconstructed: "))
    assert pd.isna(one(frame, "resnet3d", 4, 7, "ilids_vid", "R1")["note"])


@pytest.mark.parametrize("name", ["notes", "protocols"])
def test_no_remark_misses_its_cell(frame, name):
    lines = pd.read_csv(files("benchmark.published").joinpath(f"{name}.csv"), dtype=object)
    assert not lines.duplicated(lines.columns[:-1].tolist()).any()
    for line in lines.to_dict("records"):
        *address, text = line.values()
        found = frame
        for column, wanted in zip(lines.columns, address, strict=False):
            if not pd.isna(wanted):
                found = found[found[column].astype(str) == wanted]
        texts = found[lines.columns[-1]].dropna()
        assert texts.str.contains(text, regex=False).any(), line


def test_a_table_of_a_supplement_is_called_so():
    assert [published.table_name(table) for table in (2, 107)] == ["Table 2", "Table S7"]


def test_a_caller_may_change_what_it_was_given():
    given = published.load()
    given["value"] = 0.0
    assert (published.load()["value"] > 0).all()


def test_the_papers_are_read_without_torch():
    code = (
        "import sys\n"
        "from benchmark import published\n"
        "published.load()\n"
        "sys.exit(f'loads {found}' if (found := {'torch', 'timm'} & set(sys.modules)) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_network_that_starts_from_other_weights_than_the_rest_of_its_paper_says_so():
    cells = published.load()
    starts = cells[(cells["paper"] == "resnet3d") & cells["method"].notna()]
    found = {key: set(part["start"]) for key, part in starts.groupby(["table", "row", "dataset"])}
    assert found[2, 3, "mars"] == found[3, 3, "mars"] == found[4, 14, "mars"] == {"kinetics"}
    assert found[3, 2, "mars"] == {"reid"} and found[4, 14, "prid2011"] == {"mars"}
    usual = starts[(starts["row"] == 1) & starts["table"].isin([2, 3])]
    assert len(usual) and usual["start"].isna().all()
    assert cells[cells["paper"] != "resnet3d"]["start"].isna().all()
