"""The shape of the tree: sizes, names, links, files that run elsewhere."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from angarium.config.environment import ALIASES, known_variables
from angarium.config.load import load_settings

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("channels", "config", "core", "gateway", "plugins")
ALL = (*FOLDERS, "tests", "docs", "benchmarks", "examples")

FILE_LINES = 400
FUNCTION_LINES = 50
EXEMPT: frozenset[str] = frozenset()
"""Files that may be longer, functions as `path::name`. It shrinks."""

VAGUE = re.compile(r"utils?|misc|common|base|managers?")
PLUGIN_MANAGER = "plugins/manager.py"  # pluggy's own word for what it does


def sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield node.name, node.end_lineno - node.lineno + 1


def test_no_file_is_longer_than_400_lines() -> None:
    long = {
        name_of(path): count
        for path in sources(*ALL)
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > FILE_LINES
    }

    assert long.keys() <= EXEMPT, long


def test_no_function_is_longer_than_50_lines() -> None:
    long = {
        f"{name_of(path)}::{name}": count
        for path in sources(*ALL)
        for name, count in functions(path)
        if count > FUNCTION_LINES
    }

    assert long.keys() <= EXEMPT, long


def test_every_exemption_is_still_needed() -> None:
    known = {name_of(path) for path in sources(*ALL)}

    assert {exempt.partition("::")[0] for exempt in EXEMPT} <= known


def test_a_file_is_named_after_what_it_holds() -> None:
    vague = [name_of(path) for path in sources(*FOLDERS) if VAGUE.fullmatch(path.stem)]

    assert vague == [PLUGIN_MANAGER]


def test_every_module_says_in_a_docstring_what_it_is_for() -> None:
    silent = [
        name_of(path)
        for path in sources(*FOLDERS)
        if (tree := ast.parse(path.read_text(encoding="utf-8"))).body
        and not ast.get_docstring(tree)
    ]

    assert silent == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_package_holds_a_link_to_each_folder(folder: str) -> None:
    link = ROOT / "src/angarium" / folder

    assert link.is_symlink()
    assert link.readlink() == Path("../..") / folder
    assert (ROOT / "src/angarium/py.typed").exists()


def test_only_the_clock_reads_the_clock() -> None:
    reading = re.compile(
        r"\btime\.(time|time_ns)\(|\bdatetime\.(now|utcnow|today)\(|\bdate\.today\("
    )
    found = [
        name_of(path)
        for path in sources(*FOLDERS)
        if reading.search(path.read_text(encoding="utf-8"))
    ]

    assert found == ["core/workers/clock.py"]


def test_every_exception_to_a_rule_gives_its_reason() -> None:
    bare = re.compile(r"# (noqa|type: ignore|pyright: ignore)(: ?[A-Z0-9, ]+|\[[\w, -]+\])?\s*$")
    found = [
        f"{name_of(path)}:{number}"
        for path in sources(*ALL)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if bare.search(line)
    ]

    assert found == []


def test_the_dockerfile_passes_its_linter() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")

    done = subprocess.run(
        [str(hadolint), "--no-color", str(ROOT / "Dockerfile")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (0, "")


def test_the_image_runs_as_nobody_in_particular_and_shows_its_health() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")

    assert re.search(r"^USER \d+$", text, re.MULTILINE)
    assert "HEALTHCHECK" in text
    assert "--require-hashes -r requirements-run.lock" in text
    assert re.findall(r"^FROM (\S+)", text, re.MULTILINE) == ["python:3.12.12-slim-bookworm"] * 2


def test_every_service_of_compose_is_closed_and_set_by_known_variables() -> None:
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))

    for name, service in compose["services"].items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        ours = {key for key in service.get("environment", {}) if key.startswith("ANGARIUM_")}
        assert ours <= known_variables().keys() | ALIASES.keys(), name


def test_the_values_in_compose_are_valid_settings() -> None:
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    environ = {
        name: re.sub(r"\$\{\w+:\?[^}]*\}", "secret", value)
        for name, value in compose["services"]["gateway"]["environment"].items()
    }

    settings = load_settings(None, environ)

    assert settings.nats.url == "nats://secret@nats:4222"
    assert settings.nats.partitions == 16


def test_make_alone_lists_the_chores() -> None:
    done = subprocess.run(
        ["make"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": os.environ["PATH"]},
    )

    listed = re.findall(r"^  make ([\w-]+) ", done.stdout, re.MULTILINE)
    assert {
        "setup",
        "demo",
        "test",
        "test-system",
        "check",
        "bench",
        "drill",
        "docs",
        "format",
        "lock",
        "clean",
    } <= set(listed)


def test_make_says_which_python_it_needs(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)

    done = subprocess.run(
        ["make", "-f", str(ROOT / "Makefile"), f"PYTHON={old}", "setup"],
        cwd=copy_of_the_locks(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode != 0
    assert "Angarium needs Python 3.11 or later" in done.stderr


def copy_of_the_locks(folder: Path) -> Path:
    for name in ("requirements.lock", "requirements-build.lock", "pyproject.toml"):
        (folder / name).write_bytes((ROOT / name).read_bytes())
    return folder


def test_the_lock_files_name_every_package_by_hash() -> None:
    for path in ROOT.glob("requirements*.lock"):
        text = path.read_text(encoding="utf-8")
        packages = re.findall(r"^[\w.-]+==.*?(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
        assert packages, path
        assert all("--hash=sha256:" in package for package in packages), path


def test_what_runs_is_locked_as_what_was_tested() -> None:
    def versions(name: str) -> set[str]:
        return set(re.findall(r"^([\w.-]+==\S+)", (ROOT / name).read_text(), re.MULTILINE))

    windows_only = {one for one in versions("requirements-run.lock") if one.startswith("colorama")}
    assert versions("requirements-run.lock") - windows_only <= versions("requirements.lock")
