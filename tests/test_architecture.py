"""The house's promises about its own shape: who imports whom, what a start costs, how long a file may grow."""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = (
    "torch",
    "transformers",
    "prefect",
    "layoutparser",
    "onnxruntime",
    "cv2",
    "scipy",
    "fsspec",
    "s3fs",
    "botocore",
)

BASE = {
    "errors",
    "registry",
    "geometry",
    "lean",
    "records",
    "settings",
    "store",
    "leases",
    "worklog",
    "versions",
    "weights",
    "images",
    "issues",
    "collection_index",
    "folios",
    "devices",
    "batches",
    "wording",
    "compact",
    "spanish",
    "translation",
    "cues",
    "screens",
    "programs",
    "objects",
}
STAGES = {"pages", "regions", "text", "context", "captions", "ranking", "descriptions"}
ABOVE = {
    "stages",
    "scans",
    "renewal",
    "inbox",
    "freshness",
    "pipeline",
    "plan",
    "selection",
    "checks",
    "checkpoints",
    "view",
    "showing",
    "totals",
    "comparison",
    "report",
    "evaluation",
    "training",
}
TOP = {"cli", "cli_evaluate", "cli_models", "cli_train", "terminal"}


def sources() -> list[Path]:
    return sorted([*ROOT.glob("revista/**/*.py"), *ROOT.glob("flows/**/*.py")])


def module_of(file: Path) -> str:
    """`pages` for revista/pages.py, `regions` for revista/regions/rapid.py, `flows` for flows/issue.py."""
    parts = file.relative_to(ROOT).with_suffix("").parts
    return "flows" if parts[0] == "flows" else parts[1]


def imports_of(file: Path) -> set[str]:
    """Full names of all that a file imports, wherever in the file, those for type checkers included."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found.update(name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.update(f"{node.module}.{name.name}" for name in node.names)
    return found


def own_modules(file: Path) -> set[str]:
    names = {name.split(".")[1] for name in imports_of(file) if name.startswith("revista.")}
    return names - {"__version__"}


def layer(module: str) -> int:
    for rank, modules in enumerate((BASE, STAGES, ABOVE, TOP | {"flows"})):
        if module in modules:
            return rank
    raise AssertionError(f"{module} has no place in the layers; give it one here and in docs/design.md")


@pytest.mark.parametrize("file", sources(), ids=lambda f: str(f.relative_to(ROOT)))
def test_imports_go_down_the_layers(file: Path) -> None:
    if file.name == "__init__.py" and file.parent.name == "revista":
        return
    me = module_of(file)
    for other in own_modules(file) - {me}:
        assert layer(other) <= layer(me), f"{file.name} imports {other}, which stands above it"
        assert not (me in STAGES and other in STAGES), f"the stage {me} imports the stage {other}"


@pytest.mark.parametrize("file", sources(), ids=lambda f: str(f.relative_to(ROOT)))
def test_only_flows_import_prefect(file: Path) -> None:
    names = {name.split(".")[0] for name in imports_of(file)}
    assert "prefect" not in names or module_of(file) == "flows"


@pytest.mark.parametrize(
    "module",
    [
        "revista.cli",
        "revista.pipeline",
        "revista.checks",
        "revista.view",
        "revista.plan",
        "revista.selection",
        "revista.comparison",
        "revista.totals",
    ],
)
def test_start_pulls_in_nothing_heavy(module: str) -> None:
    code = f"import {module}, sys; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_no_file_outgrows_its_reader() -> None:
    folders = ("revista", "flows", "sample_pages", "benchmarks")
    files = [file for folder in folders for file in (ROOT / folder).glob("**/*.py")]
    long = {str(f.relative_to(ROOT)): n for f in files if (n := len(f.read_text("utf-8").splitlines())) > 420}
    assert not long


@pytest.mark.parametrize("stage", ["regions", "text", "context", "captions"])
def test_a_stage_has_the_version_that_the_changelog_tells(stage: str) -> None:
    """Records of a version before are renewed; a change that is told but not counted would never reach an archive."""
    told = re.findall(rf"\b{stage} \(version (\d+)\)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.IGNORECASE)
    assert str(max(map(int, told))) == importlib.import_module(f"revista.{stage}").VERSION
