"""Everything that is generated, written before Sphinx reads its sources."""

import shutil
from pathlib import Path

from generate import commands, counted, method_pages, model_zoo
from generate.ideas import IDEAS

DOCS = Path(__file__).parents[1]
GENERATED = DOCS / "_generated"


def write_all(folder: Path = GENERATED) -> None:
    """Write all generated pages anew; counts are kept beside the built site.

    Args:
        folder: emptied first.
    """
    shutil.rmtree(folder, ignore_errors=True)
    for part in ("ideas", "methods"):
        (folder / part).mkdir(parents=True)
    for name, draw in IDEAS.items():
        (folder / "ideas" / f"{name}.html").write_text(draw().svg(), encoding="utf-8")
    method_pages.write(folder / "methods", counted.counts(DOCS / "_build" / "counts.json"))
    model_zoo.write(folder)
    (folder / "commands.md").write_text(commands.text(), encoding="utf-8")
