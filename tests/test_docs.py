"""Documentation that can be made from code is; what cannot is checked for completeness."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from angarium.config.environment import known_variables
from angarium.gateway.cli import main
from angarium.gateway.cli.reference import commands

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs/generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_pages_are_up_to_date(generator: ModuleType) -> None:
    assert generator.differences(ROOT) == []


def test_an_outdated_page_is_shown_with_its_difference(
    generator: ModuleType, tmp_path: Path
) -> None:
    generator.generate(tmp_path)
    page = tmp_path / "docs/cli.md"
    page.write_text(page.read_text().replace("Revoke", "revoke").replace("# Command line", "# X"))

    assert "-# X" in generator.differences(tmp_path)


def _next(digit: re.Match[str]) -> str:
    return str((int(digit[0]) + 1) % 10)


@pytest.mark.parametrize("page", ["README.md", "README.fa.md", "docs/performance.md"])
def test_a_figure_that_nobody_measured_is_noticed(
    generator: ModuleType, tmp_path: Path, page: str
) -> None:
    generator.generate(tmp_path)
    text = (tmp_path / page).read_text(encoding="utf-8")
    begin, figures, rest = text.partition("<!-- benchmarks:begin -->\n")
    changed, count = re.subn(r"\d", _next, rest.partition("<!-- benchmarks:end -->")[0], count=1)
    assert count == 1
    end = rest[len(changed) :]
    (tmp_path / page).write_text(begin + figures + changed + end, encoding="utf-8")

    assert f"--- {page}" in generator.differences(tmp_path)


def test_every_command_has_a_heading() -> None:
    page = (ROOT / "docs/cli.md").read_text(encoding="utf-8")

    missing = [name for name, _ in commands(main, "angarium") if f"\n## {name}\n" not in page]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_names_only_settings_that_exist(page: Path) -> None:
    named = set(re.findall(r"\bANGARIUM_[A-Z_]+[A-Z]\b", page.read_text(encoding="utf-8")))
    ours = {name for name in named if not name.startswith("ANGARIUM_CHANNELS_")}

    assert ours <= known_variables().keys() | {"ANGARIUM_CONFIG", "ANGARIUM_CRASH_AT"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_links_only_to_what_is_there(page: Path) -> None:
    links = re.findall(r"\]\((?!\w+:|#)([^)#\s]+)", page.read_text(encoding="utf-8"))

    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_names_only_chores_that_exist(page: Path) -> None:
    chores = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z-]+)", page.read_text(encoding="utf-8")))

    assert named <= chores
