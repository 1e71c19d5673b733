"""The order of the packages, the size of files and functions, and a test file for each module."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("methods", "benchmark", "reports", "zoo")
# what a package may import from the others
ALLOWED = {
    "methods": (),
    "benchmark": ("methods.output",),
    "reports": tuple(
        f"benchmark.{name}"
        for name in (
            "files",
            "label",
            "progress",
            "published",
            "record",
            "record_schema",
            "significance",
            "variants",
        )
    ),
    "zoo": ("methods", "benchmark", "reports"),
}
# within a package, a part imports those before it; "" are the files of its top level
PARTS = {
    "zoo": ("", "checkpoints", "experiment", "tools", "cli"),
    "reports": ("read", "analysis", "figures", "formats", ""),
}
FILES = sorted(p for package in PACKAGES for p in (ROOT / package).rglob("*.py"))
TEMPLATES = ROOT / "zoo" / "templates"  # what `zoo new` copies, each with its test beside it
MODULES = [p for p in FILES if p.name != "__init__.py" and TEMPLATES not in p.parents]
MOST_LINES = 250
MOST_LINES_OF_A_FUNCTION = 60
TOP_LEVEL_OF_ZOO = 6
# tests of what several modules do together
ACROSS_MODULES = (
    "benchmark/datasets/test_named_protocols.py",
    "benchmark/test_published.py",
    "methods/test_contract.py",
    "reports/test_foreign_text.py",
    "reports/test_golden.py",
    "zoo/test_readme.py",
)


def name_of(path):
    return str(path.relative_to(ROOT))


def imports(path, *, typing_too=True):
    """Every module of ours that a file imports, wherever in the file."""
    tree = ast.parse(path.read_text())
    skipped = set()
    for node in ast.walk(tree):
        for_types = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        if for_types and not typing_too:
            skipped |= set(ast.walk(node))
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] in PACKAGES)


def part_of(package, parts):
    """The sub-package that a file or module belongs to; empty for the top level."""
    if parts and parts[0] == "__main__":
        return "cli"
    return parts[0] if parts and parts[0] in PARTS[package] else ""


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_nothing_imports_upward(path):
    package = path.relative_to(ROOT).parts[0]
    for name in imports(path):
        inside = name.split(".")[0] == package
        allowed = any(f"{name}.".startswith(f"{prefix}.") for prefix in ALLOWED[package])
        assert inside or allowed, f"{path} may not import {name}"


@pytest.mark.parametrize(
    "path", [p for p in MODULES if p.relative_to(ROOT).parts[0] in PARTS], ids=name_of
)
def test_within_a_package_nothing_imports_upward(path):
    package, *parts = path.relative_to(ROOT).with_suffix("").parts
    order = PARTS[package]
    own = order.index(part_of(package, parts))
    for name in imports(path, typing_too=False):
        home, *rest = name.split(".")
        if home == package:
            assert order.index(part_of(package, rest)) <= own, f"{path} may not import {name}"


def test_methods_need_torch_and_timm_only():
    for path in (ROOT / "methods").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = (
                [a.name for a in node.names]
                if isinstance(node, ast.Import)
                else [node.module]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            for name in names:
                top = name.split(".")[0]
                assert top in {"torch", "timm", "methods"} or top in sys.stdlib_module_names, (
                    f"{path} imports {name}"
                )


@pytest.mark.parametrize(
    "module", ["benchmark.record", "benchmark.label", "reports.build", "zoo", "zoo.cli.app"]
)
def test_imports_without_torch(module):
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


# ---- sizes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_function_is_longer_than_sixty_lines(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = node.end_lineno - node.lineno + 1
            assert lines <= MOST_LINES_OF_A_FUNCTION, f"{path}:{node.lineno} {node.name}"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_file_can_be_read_at_one_sitting(path):
    assert len(path.read_text().splitlines()) <= MOST_LINES


def test_the_top_level_of_zoo_is_found_at_a_glance():
    found = [path.name for path in (ROOT / "zoo").glob("*.py") if path.stem.strip("_") == path.stem]
    assert len(found) <= TOP_LEVEL_OF_ZOO, found


# ---- tests ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_every_module_has_its_test_file(path):
    relative = path.relative_to(ROOT)
    assert (ROOT / "tests" / relative.parent / f"test_{relative.name}").is_file()


def test_no_test_file_is_of_a_module_that_has_gone():
    modules = {path.relative_to(ROOT) for path in FILES}
    stray = []
    for path in (ROOT / "tests").rglob("test_*.py"):
        relative = path.relative_to(ROOT / "tests")
        of_module = relative.parent / relative.name.removeprefix("test_") in modules
        of_package = relative.name == "test_init.py" and relative.parent / "__init__.py" in modules
        if relative.parts[0] in PACKAGES and not of_module and not of_package:
            stray.append(str(relative))
    assert sorted(stray) == sorted(ACROSS_MODULES)


# ---- data sets -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_dictionary_is_keyed_by_a_data_set(path):
    """What is known of a data set stands in its own file."""
    names = {p.stem for p in (ROOT / "benchmark" / "datasets").glob("*.py")} - {"index", "base"}
    if path.relative_to(ROOT).parts[:2] == ("benchmark", "datasets"):
        return
    names &= {"mars", "duke_video", "ilids_vid", "prid2011", "lsvid"}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Dict):
            keys = {key.value for key in node.keys if isinstance(key, ast.Constant)}
            assert not keys & names, f"{path}:{node.lineno}"


def test_help_is_quick_because_it_loads_nothing_heavy():
    code = (
        "import sys; sys.argv = ['zoo', '--help']\n"
        "from zoo.cli.app import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'timm', 'numpy', 'pandas', 'matplotlib', 'scipy'} & set(sys.modules)\n"
        "sys.exit(f'loads {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "bench" in done.stdout
