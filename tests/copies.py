"""A copy of the tree, to build from without leaving traces in it."""

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOP = ("channels", "config", "core", "gateway", "plugins", "src")
FILES = ("LICENSE", "README.md", "pyproject.toml")


def copy_of_the_tree(target: Path) -> Path:
    """Copy the package, its links kept as links, and the files that a build reads."""
    target.mkdir(parents=True)
    traces = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in TOP:
        shutil.copytree(ROOT / name, target / name, symlinks=True, ignore=traces)
    for path in (*map(ROOT.joinpath, FILES), *ROOT.glob("requirements-*.lock")):
        shutil.copy(path, target)
    return target
