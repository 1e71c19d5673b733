"""``zoo show``: everything that is known of a checkpoint."""

from zoo.cli.options import Json, Name

EXAMPLES = """
zoo show stenvan.synthetic
zoo show nvan.mars-released --json
"""


def show(name: Name, json: Json = False) -> int:
    """Show a checkpoint's row, its scores and settings its file is."""
    import dataclasses

    from zoo.checkpoints.cache import instructions
    from zoo.checkpoints.config import read_settings
    from zoo.checkpoints.sources import in_order
    from zoo.cli import display
    from zoo.experiment.find_checkpoint import find_checkpoint

    settings = read_settings()
    row = find_checkpoint(name, settings)
    told = {f.name: getattr(row, f.name) for f in dataclasses.fields(row)}
    told |= {"home": str(row.home), "sources": [str(s) for s in row.places]}
    told["tried"] = [str(source) for source in in_order(row.places, settings.mirrors, row.file)]
    told["kept"] = str(settings.cache / row.file) if (settings.cache / row.file).is_file() else None
    if row.how:
        told["how"] = instructions(row, settings)
    told = {key: value for key, value in told.items() if value not in (None, (), [])}
    scores = row.scores()
    if json:
        told["scores"] = {label: entry.metrics for label, entry in scores.items()}
        told["command"] = row.trained().get("command")
        display.show([told], as_json=True)
        return 0
    rows = [{"field": k, "value": _words(v)} for k, v in told.items()]
    command = row.trained().get("command")
    rows += [{"field": "command", "value": command}] * bool(command)
    for label, entry in scores.items():
        percent = " ".join(f"{m} {100 * v:.2f}" for m, v in entry.metrics.items())
        rows.append({"field": label, "value": f"{percent} ({entry.origin})"})
    display.show(rows, as_json=False)
    return 0


def _words(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
