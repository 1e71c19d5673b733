"""The order of the packages, read from the imports."""

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
        f"benchmark.{name}" for name in ("files", "label", "published", "record", "significance")
    ),
    "zoo": ("methods", "benchmark", "reports"),
}
FILES = sorted(p for package in PACKAGES for p in (ROOT / package).rglob("*.py"))


def imports(path):
    """Every module of ours that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] in PACKAGES)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_imports_upward(path):
    package = path.relative_to(ROOT).parts[0]
    for name in imports(path):
        inside = name.split(".")[0] == package
        allowed = any(f"{name}.".startswith(f"{prefix}.") for prefix in ALLOWED[package])
        assert inside or allowed, f"{path} may not import {name}"


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


@pytest.mark.parametrize("module", ["benchmark.record", "reports.build", "zoo", "zoo.cli.app"])
def test_imports_without_torch(module):
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_function_is_longer_than_sixty_lines(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno < 60, f"{path}:{node.lineno} {node.name}"


@pytest.mark.parametrize("path", sorted((ROOT / "methods").glob("*.py")), ids=lambda p: p.name)
def test_a_method_file_has_at_most_250_lines(path):
    assert len(path.read_text().splitlines()) <= 250


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
