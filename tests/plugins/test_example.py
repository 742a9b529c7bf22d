"""The example is what a stranger would write: it is installed, found, and passes its own tests."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("angarium-*"))
GUIDE = ROOT / "docs" / "write-a-channel.md"
PIP = ("-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index")

CONTRACT = {
    "angarium.plugins",
    "angarium.plugins.gates",
    "angarium.plugins.reports",
    "angarium.plugins.settings",
}
KINDS = {".py", ".toml", ".md"}
FIND = """
import sys
from angarium.config.settings import Plugins
from angarium.gateway.isolation.loading import load_isolated
print([p for p in load_isolated(Plugins()).plugins if p.distribution == sys.argv[1]][0])
"""


def run(*arguments: str, path: Path, directory: Path) -> str:
    """Run Python with `path` among its packages; give what it printed."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(path), "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module", params=EXAMPLES, ids=lambda example: example.name)
def source(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy, since building leaves things behind."""
    example: Path = request.param
    copy = tmp_path_factory.mktemp("source") / example.name
    shutil.copytree(example, copy, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    return copy


@pytest.fixture(scope="module")
def installed(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pip put it: not into the environment of our own tests."""
    target = tmp_path_factory.mktemp("installed")
    run(*PIP, "--target", str(target), str(source), path=target, directory=source)
    return target


def test_after_pip_install_it_is_found_with_its_version(
    source: Path, installed: Path, tmp_path: Path
) -> None:
    printed = run("-c", FIND, source.name, path=installed, directory=tmp_path)

    assert "version='0.1.0'" in printed
    assert "error=''" in printed
    assert "isolated=True" in printed


def test_its_own_tests_pass(installed: Path, source: Path) -> None:
    for module in source.glob("*.py"):  # what is tested is what was installed
        module.unlink()

    printed = run("-m", "pytest", "-q", "-p", "no:cacheprovider", path=installed, directory=source)

    assert re.search(r"\d+ passed", printed)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_it_imports_nothing_of_ours_but_the_contract(example: Path) -> None:
    [module] = example.glob("*.py")
    imported = {
        node.module or ""
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("angarium")
    }

    assert {"angarium.plugins"} <= imported <= CONTRACT


def test_every_piece_of_the_guide_stands_in_an_example() -> None:
    files = [file for example in EXAMPLES for file in example.rglob("*") if file.suffix in KINDS]
    code = "\n".join(file.read_text() for file in files)
    pieces = re.findall(r"```(?:python|toml)\n(.*?)```", GUIDE.read_text(), re.DOTALL)

    assert len(pieces) >= 8
    assert [piece for piece in pieces if piece not in code] == []


def test_every_command_of_the_guide_is_one_of_ours() -> None:
    named = set(re.findall(r"angarium plugins (\w+)", GUIDE.read_text()))

    assert named == {"list", "new", "check"}
