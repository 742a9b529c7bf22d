"""What is installed elsewhere is everything, under one name of its own."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.copies import ROOT, copy_of_the_tree

FOLDERS = ("channels", "config", "core", "gateway", "plugins")


def shipped() -> set[str]:
    """Every file of the five folders that is not a trace of running."""
    return {
        f"angarium/{path.relative_to(ROOT)}"
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".md"
    }


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    source = copy_of_the_tree(folder / "source")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir"]
    command += [str(folder), "--disable-pip-version-check", "--no-build-isolation", str(source)]
    subprocess.run(command, check=True, env={**os.environ, "PIP_NO_INDEX": "1"})
    [wheel] = folder.glob("*.whl")
    return wheel


@pytest.mark.system
def test_the_wheel_holds_every_file(wheel: Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}

    assert names == shipped() | {"angarium/__init__.py", "angarium/py.typed"}


@pytest.mark.system
def test_the_wheel_brings_one_top_level_name_and_its_entry_points(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    [entry_points] = [name for name in archive.namelist() if name.endswith("entry_points.txt")]

    assert {name.partition("/")[0].partition("-")[0] for name in archive.namelist()} == {"angarium"}
    text = archive.read(entry_points).decode()
    assert "angarium = angarium.gateway.cli:main" in text
    assert "email_smtp = angarium.channels.email_smtp" in text


@pytest.mark.system
def test_the_wheel_runs_beside_nothing_but_its_requirements(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "installed"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*command, "--target", str(target), str(wheel)], check=True)

    program = "import angarium.core, angarium.gateway.cli as cli; print(cli.__file__)"
    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(target)},
        text=True,
        capture_output=True,
        check=True,
    )

    assert done.stdout.startswith(str(target))
