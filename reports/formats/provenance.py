"""The part of a report that lets it be checked: what was run, how to get it again, what failed."""

import json
from collections.abc import Callable

import pandas as pd

from reports.analysis.cautions import grouped, shortened
from reports.analysis.markup import block, bullets, code, names, table, text
from reports.read.results import Failure, Results

_FIRST = ("processor", "threads", "gpu", "device", "precision", "node", "engine")


def sections(results: Results) -> list[str]:
    """What was run, the notes, and what to type to get it again; there is at least one record."""
    runs = results.frame.drop_duplicates("run").reset_index(drop=True)
    return [
        "## What was run",
        _machines(results.frame),
        _facts(results, runs),
        _runs(results, runs),
        "<sub>Epochs, time, clips/s and peak memory are those of training.</sub>",
        *_checkpoints(results.frame),
        *_notes(results.frame),
        "## To get this again",
        *_commands(results.frame),
    ]


def failures_and_problems(results: Results) -> list[str]:
    """Failed and unfinished runs, and files that could not be used; also says if there are none."""
    parts = ["## Failed runs", _failures(results.failures) if results.failures else "None."]
    known = set() if results.frame.empty else set(results.frame["run"])
    again = [failure.run for failure in results.failures if failure.run in known]
    if again:
        parts.append(f"Results of {names(again)} from before the failure are in the tables above.")
    if results.unfinished:
        found = names(results.unfinished)
        parts.append(f"Without a result, stopped or still going: {found}.")
    problems = bullets(text(problem) for problem in results.problems)
    return [*parts, "## Problems", problems or "None: every record found could be read."]


def _machines(frame: pd.DataFrame) -> str:
    """Each environment once, with a letter that the table of runs uses."""
    return bullets(
        f"**Machine {letter}**: {_environment(json.loads(environment))}"
        for environment, letter in _letters(frame).items()
    )


def _letters(frame: pd.DataFrame) -> dict[str, str]:
    found = dict.fromkeys(_canonical(environment) for environment in frame["environment"])
    return {e: chr(65 + i) if i < 26 else str(i + 1) for i, e in enumerate(found)}


def _canonical(environment: dict) -> str:
    return json.dumps(environment, sort_keys=True)


def _environment(environment: dict) -> str:
    if not environment:
        return "not recorded."
    hard = {name: environment[name] for name in _FIRST if name in environment}
    if "gpu" in hard and hard["gpu"] is None:
        hard["gpu"] = "none"
    hard["precision"] = {"no": "fp32"}.get(hard.get("precision"), hard.get("precision"))
    soft = {n: v for n, v in sorted(environment.items()) if n not in _FIRST}
    parts = [f"{n} {v}" for n, v in hard.items() if v is not None]
    packages = [f"{n} {v}" for n, v in soft.items() if v is not None]
    return text("; ".join(part for part in (", ".join(parts), ", ".join(packages)) if part)) + "."


def _facts(results: Results, runs: pd.DataFrame) -> str:
    """What all runs share is said once; where they differ, by run."""
    frame = results.frame
    bits = [f"{code(r.dataset)}, fingerprint {code(r.fingerprint)}" for r in runs.itertuples()]
    lines = _by_run("Data set", runs["run"], bits)
    lines += _by_run("Trained on", runs["run"], [_trained_on(results, run) for run in runs["run"]])
    lines += _by_run("Commit", frame["run"], [_commit(commit) for commit in frame["commit"]])
    chosen = [text(how) if how else "not recorded" for how in frame["selection"]]
    lines += _by_run("Which epoch was scored", frame["run"], chosen)
    return bullets(lines)


def _by_run(title: str, runs: pd.Series, values: list[str]) -> list[str]:
    pairs = dict.fromkeys(zip(runs, values, strict=True))
    found = [(value, who) for value, who in grouped(pairs) if value]
    if len(found) == 1 and len(found[0][1]) == runs.nunique():
        return [f"{title}: {found[0][0]}."]
    return [f"{title}: {value} ({who})." for value, who in shortened(found)] if found else []


def _commit(commit: str) -> str:
    if not commit:
        return "not recorded"
    if commit.endswith("+changes"):
        return f"{code(commit)}; the tree had changes, so the commit alone does not tell the code"
    return code(commit)


def _trained_on(results: Results, run: str) -> str:
    training = _training(results, run)
    persons, tracklets = training.get("persons"), training.get("tracklets")
    if not (isinstance(persons, int) and isinstance(tracklets, int)):
        return ""
    return f"{persons} persons, {tracklets} tracklets"


def _training(results: Results, run: str) -> dict:
    training = results.runs.get(run, {}).get("training")
    return training if isinstance(training, dict) else {}


def _runs(results: Results, runs: pd.DataFrame) -> str:
    letters = _letters(results.frame)
    where = {
        run: ", ".join(dict.fromkeys(letters[_canonical(e)] for e in records["environment"]))
        for run, records in results.frame.groupby("run", sort=False)
    }
    trainings = [_training(results, run) for run in runs["run"]]
    several = runs["dataset"].nunique() > 1
    split = (runs["split"] != 0).any()
    return table(
        [
            ("Run", [code(run) for run in runs["run"]]),
            ("Method", [code(method) for method in runs["method"]]),
            ("Recipe", [code(recipe) for recipe in runs["recipe"]]),
            ("Machine", [where[run] for run in runs["run"]]),
            ("Data set", [code(name) if several else "" for name in runs["dataset"]]),
            ("Split", [str(number) if split else "" for number in runs["split"]]),
            ("Seed", [str(seed) for seed in runs["seed"]]),
            ("Epochs", [_shown(t.get("epochs"), "{:,}".format) for t in trainings]),
            ("Training", [_shown(t.get("seconds"), duration) for t in trainings]),
            ("Clips/s", [_shown(t.get("clips_per_s"), "{:,.1f}".format) for t in trainings]),
            (
                "Peak memory (MB)",
                [_shown(t.get("peak_memory_mb"), "{:,.0f}".format) for t in trainings],
            ),
        ],
        left=4,
    )


def _whole(value: float) -> str:
    return f"{value:,.0f}"


def _shown(value: object, show: Callable[[float], str]) -> str:
    return show(value) if isinstance(value, int | float) else ""


def duration(seconds: float) -> str:
    """Seconds, or minutes, or hours and minutes."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02} min"


def _checkpoints(frame: pd.DataFrame) -> list[str]:
    scored = frame[frame["checkpoint"] != ""]
    pairs = dict.fromkeys(zip(scored["folder"], scored["checkpoint"], strict=True))
    if not pairs:
        return ["The sha256 of the scored weights was not recorded."]
    lines = [f"{sha256}  runs/{folder}/weights.safetensors" for folder, sha256 in pairs]
    summary = (
        "The weights that were scored: sha256, as <code>sha256sum -c</code> in the result folder"
    )
    return [f"<details><summary>{summary} takes it</summary>\n\n{block(lines)}\n\n</details>"]


def _notes(frame: pd.DataFrame) -> list[str]:
    pairs = dict.fromkeys(
        (run, str(note))
        for run, notes in zip(frame["run"], frame["notes"], strict=True)
        for note in notes
    )
    lines = [
        text(note) + ("" if len(who) == frame["run"].nunique() else f" ({names(who)})")
        for note, who in grouped(pairs)
    ]
    return ["## Notes", bullets(lines)] if lines else []


def _commands(frame: pd.DataFrame) -> list[str]:
    commands = list(dict.fromkeys(command for command in frame["command"] if command))
    without = frame.loc[frame["command"] == "", "run"].unique()
    parts = [block(commands, "sh")] if commands else []
    if len(without):
        parts.append(f"No command was recorded for {names(without)}.")
    summary = "`zoo report DIR` makes this page again from the records in the result folder."
    return [*parts, summary]


def _failures(failures: tuple[Failure, ...]) -> str:
    titles = ("Run", "Method", "Recipe", "Data set", "Stage", "Reason", "Split", "Seed")
    fields = ("run", "method", "recipe", "dataset", "stage", "reason", "split", "seed")
    plain = ("stage", "split", "seed")
    return table(
        [
            (title, [(text if name in plain else code)(getattr(f, name)) for f in failures])
            for title, name in zip(titles, fields, strict=True)
        ],
        left=6,
    )
