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
EXAMPLE = ROOT / "examples" / "angarium-bale"
GUIDE = ROOT / "docs" / "write-a-channel.md"
PIP = ("-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index")


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


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy, since building leaves things behind."""
    copy = tmp_path_factory.mktemp("source") / "angarium-bale"
    shutil.copytree(EXAMPLE, copy, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    return copy


@pytest.fixture(scope="module")
def installed(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pip put it: not into the environment of our own tests."""
    target = tmp_path_factory.mktemp("installed")
    run(*PIP, "--target", str(target), str(source), path=target, directory=source)
    return target


def test_after_pip_install_it_is_found_with_its_version(installed: Path, tmp_path: Path) -> None:
    printed = run(
        "-c",
        "from angarium.plugins.manager import load_plugins\n"
        "plugins = load_plugins()\n"
        "print([p for p in plugins.plugins if p.name == 'chat_bale'][0])\n"
        "print(plugins.create_provider('chat_bale', {'token': 'hunter2'}))",
        path=installed,
        directory=tmp_path,
    )

    assert "distribution='angarium-bale', version='0.1.0'" in printed
    assert "providers=('chat_bale',), channels=('chat',)" in printed
    assert "error=''" in printed
    assert "angarium_bale.ChatBale object" in printed


def test_its_own_tests_pass(installed: Path, source: Path) -> None:
    (source / "angarium_bale.py").unlink(missing_ok=True)  # what is tested is what was installed

    printed = run("-m", "pytest", "-q", "-p", "no:cacheprovider", path=installed, directory=source)

    assert re.search(r"\d+ passed", printed)


def test_it_imports_nothing_of_ours_but_the_contract() -> None:
    tree = ast.parse((EXAMPLE / "angarium_bale.py").read_text())
    imported = {
        node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("angarium")
    }

    assert imported == {"angarium.plugins", "angarium.plugins.settings"}


def test_every_piece_of_the_guide_stands_in_the_example() -> None:
    files = [*EXAMPLE.glob("*.py"), *EXAMPLE.glob("*.toml"), *EXAMPLE.glob("tests/*.py")]
    code = "\n".join(file.read_text() for file in files)
    pieces = re.findall(r"```(?:python|toml)\n(.*?)```", GUIDE.read_text(), re.DOTALL)

    assert len(pieces) >= 6
    assert [piece for piece in pieces if piece not in code] == []
