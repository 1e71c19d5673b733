"""How Sphinx builds the documentation site; `make docs` calls it, and needs no network."""

import os
import shutil
import sys
from pathlib import Path

from sphinx.application import Sphinx

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from generate import pages  # noqa: E402, this folder is found from here on

from zoo import __version__  # noqa: E402

project = "Video re-ID zoo"
author = "the authors of the video re-ID zoo"
copyright = "2026, Apache-2.0"
release = __version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "generate.mathml",
]
exclude_patterns = ["_build", "_generated", "example", "generate", "jupyter_execute"]
default_role = "py:obj"  # single backticks in docstrings
html_math_renderer = "mathml"
math_numfig = False

# Markdown, which GitHub shows as well
myst_enable_extensions = ["dollarmath", "colon_fence", "deflist"]
myst_heading_anchors = 3
suppress_warnings = ["misc.highlighting_failure"]

# tutorials are run by the build, on data that they render into a cache of their own
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 600  # seconds a cell, on a busy machine
nb_execution_in_temp = True
nb_merge_streams = True
os.environ.setdefault(
    "OMP_NUM_THREADS", "1"
)  # threads only wait for each other on networks so small
os.environ["ZOO_CACHE"] = str(HERE / "_build" / "zoo-cache")
os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")])
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False

html_theme = "furo"
html_title = project
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False
html_domain_indices = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0b6e99", "color-brand-content": "#0b6e99"},
    "dark_css_variables": {"color-brand-primary": "#4fb3d9", "color-brand-content": "#6cc3e5"},
}


def link_pages(app: Sphinx, page: str, text: list[str]) -> None:
    """Links to files beside docs/, which work on GitHub, lead to the pages that hold them here."""
    for name in ("CONTRIBUTING", "CHANGELOG"):
        text[0] = text[0].replace(f"](../{name}.md", f"]({name.lower()}.md")


def copy_example(app: Sphinx, error: Exception | None) -> None:
    """Put the example report beside the pages that link it."""
    if error is None:
        shutil.copytree(HERE / "example", Path(app.outdir) / "example", dirs_exist_ok=True)


def setup(app: Sphinx) -> None:
    """Write what is generated, and copy the example when all is built."""
    app.connect("builder-inited", lambda _: pages.write_all())
    app.connect("source-read", link_pages)
    app.connect("build-finished", copy_example)
