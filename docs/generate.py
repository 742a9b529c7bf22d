"""Write the pages of the documentation that are made from code; `--check` only compares.

`make docs` and `make check` run it.
"""

import difflib
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from angarium.config.reference import settings_page
from angarium.core.bus.reference import write_reference
from angarium.gateway.cli import main as cli
from angarium.gateway.cli.reference import cli_page
from angarium.gateway.problems import catalogue
from angarium.plugins.manager import load_plugins
from angarium.plugins.sections import Routing

ROOT = Path(__file__).resolve().parent.parent

ERRORS = """\
# Errors

<!-- Made by `make docs` from gateway/problems.py; do not edit. -->

Every refusal is an `application/problem+json` object (RFC 9457) with `type`, `title`, `status`,
`detail`, `code`, `message`, `request_id` and, where fields are wrong, `errors`.
`code` is stable; `detail` is for people.

| code | status | what it means | what to do |
|---|---|---|---|
"""


def write_settings(root: Path) -> None:
    """docs/settings.md: our sections, and those of the providers that come along."""
    providers = {
        name: provider.Settings
        for name, provider in load_plugins().providers.items()
        if provider.__module__.startswith("angarium.")
    }
    (root / "docs/settings.md").write_text(settings_page(providers, Routing), encoding="utf-8")


def write_cli(root: Path) -> None:
    """docs/cli.md: every command's help."""
    (root / "docs/cli.md").write_text(cli_page(cli), encoding="utf-8")


def write_errors(root: Path) -> None:
    """docs/errors.md: every code that the API answers with."""
    rows = [
        f"| `{p['code']}` | {p['status']} | {p['title']} | {p['remedy']} |" for p in catalogue()
    ]
    (root / "docs/errors.md").write_text(ERRORS + "\n".join(rows) + "\n", encoding="utf-8")


def write_benchmarks(root: Path) -> None:
    """The table of figures in docs/performance.md and both READMEs, from what was measured last."""
    if str(ROOT) not in sys.path:  # benchmarks/ is no part of the package
        sys.path.append(str(ROOT))
    from benchmarks.results import read_results
    from benchmarks.table import write_tables

    write_tables(root, read_results())


GENERATORS: tuple[Callable[[Path], object], ...] = (
    write_settings,
    write_cli,
    write_errors,
    write_reference,  # docs/asyncapi.json, and the table in docs/nats-subjects.md
    write_benchmarks,
)


def generate(root: Path) -> list[Path]:
    """Write every page below `root`; their paths, relative to it."""
    (root / "docs").mkdir(exist_ok=True)
    for write in GENERATORS:
        write(root)
    return sorted(path.relative_to(root) for path in root.rglob("*") if path.is_file())


def differences(root: Path) -> list[str]:
    """How the pages below `root` differ from what they should be, as unified diffs."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder)
        return [
            line for page in generate(fresh) for line in _compare(root / page, fresh / page, page)
        ]


def _compare(old: Path, new: Path, page: Path) -> list[str]:
    before = old.read_text(encoding="utf-8").splitlines() if old.exists() else []
    after = new.read_text(encoding="utf-8").splitlines()
    return list(
        difflib.unified_diff(before, after, str(page), f"{page} (made anew)", "", "", 1, "")
    )


def main(arguments: list[str]) -> int:
    """Write the pages, or with `--check` say which are out of date (status 1)."""
    if arguments != ["--check"]:
        for write in GENERATORS:
            write(ROOT)
        return 0
    if found := differences(ROOT):
        print(*found, "The generated pages are out of date: run make docs.", sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
