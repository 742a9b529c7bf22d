"""What a power cut would have left of a program's files, at any instant, from one traced run.

`strace` writes down every call by which a program changes its files. From them the disk is built
as ext4 would have it after a cut at any instant, at its worst: of a file, what its last fsync
found; of names, sizes cut and removals, what the last fsync of any file found, since ext4 writes
its whole journal then. Nothing that was merely written survives. Needs no rights beyond tracing.
"""

import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

CALLS = (
    "openat,creat,close,dup,dup2,dup3,write,pwrite64,writev,pwritev,pwritev2,lseek,ftruncate,"
    "truncate,fallocate,copy_file_range,sendfile,fsync,fdatasync,rename,renameat,renameat2,"
    "unlink,unlinkat,link,linkat,mmap"
)
STRING_BYTES = 1 << 24


def tracing(folder: Path) -> list[str]:
    """What to put before a command: its calls are written into `folder`, a file a thread."""
    folder.mkdir(parents=True, exist_ok=True)
    return [
        *("strace", "--follow-forks", "--output-separately", "--quiet=all"),
        *("--interruptible=waiting", "--seccomp-bpf"),
        *("--timestamps=unix,us", "--syscall-times=us", "--strings-in-hex=all"),
        *("--string-limit", str(STRING_BYTES), "--decode-fds=path", "--trace", CALLS),
        *("--output", str(folder / "calls")),
    ]


class Call(NamedTuple):
    """One call that succeeded. `end`: seconds since 1970 when its program went on."""

    end: float
    name: str
    arguments: str
    result: int


_LINE = re.compile(r"(\d+\.\d+) (\w+)\((.*)\)\s+= (-?\d+)(?:<[^>]*>)?.*<(\d+\.\d+)>$")
_FD = re.compile(r"(\d+)<((?:\\x[0-9a-f]{2}|[^>\\])*)>")
_PATH = re.compile(r'(?:<((?:\\x[0-9a-f]{2})*)>, )?"((?:\\x[0-9a-f]{2})*)"')
_STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


def read_calls(folder: Path) -> list[Call]:
    """All calls of all threads, in the order in which they ended."""
    calls: list[Call] = []
    for file in folder.glob("calls.*"):
        for line in file.read_text().splitlines():
            found = _LINE.match(line)
            if found is not None and int(found[4]) >= 0:
                end = float(found[1]) + float(found[5])
                calls.append(Call(end, found[2], found[3], int(found[4])))
    return sorted(calls)


@dataclass
class Inode:
    """A file: as the program sees it, and as the disk has it."""

    content: bytearray = field(default_factory=bytearray)
    durable: bytes = b""

    def write(self, at: int, data: bytes) -> None:
        if len(self.content) < at:
            self.content.extend(bytes(at - len(self.content)))
        self.content[at : at + len(data)] = data

    def truncate(self, size: int) -> None:
        del self.content[size:]
        self.content.extend(bytes(size - len(self.content)))

    def commit(self) -> None:
        """The journal was written: of what was cut off, nothing comes back."""
        self.durable = self.durable[: len(self.content)]


@dataclass
class OpenFile:
    """What a descriptor stands for."""

    inode: Inode
    offset: int = 0
    append: bool = False
    synced: bool = False


class TracedDisk:
    """The files below `root`, call by call."""

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        self._names: dict[str, Inode] = {}
        self._durable_names: dict[str, Inode] = {}
        self._open: dict[int, OpenFile] = {}

    def states(self, calls: Sequence[Call], cuts: Sequence[float]) -> Iterator[float]:
        """Go through the calls; stop at each instant of `cuts`, for `save`."""
        waiting = iter(calls)
        call = next(waiting, None)
        for cut in sorted(cuts):
            while call is not None and call.end <= cut:
                self._apply(call)
                call = next(waiting, None)
            yield cut

    def save(self, target: Path) -> None:
        """Write the disk's files, as they are after a cut now, below `target`."""
        shutil.rmtree(target, ignore_errors=True)
        for path, inode in self._durable_names.items():
            file = target / path.removeprefix(self._root).lstrip("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(inode.durable)

    def _apply(self, call: Call) -> None:
        handler = getattr(self, f"_{call.name}", None)
        if handler is not None:
            handler(call)
        elif call.name in ("write", "pwrite64"):
            self._written(call)
        elif call.name in ("fsync", "fdatasync"):
            self._synced(call)
        elif call.name.startswith("rename"):
            self._renamed(call)
        elif call.name.startswith("unlink"):
            self._names.pop(_paths(call)[-1], None)
        else:
            self._check_unknown(call)

    def _check_unknown(self, call: Call) -> None:
        """Calls that would change files in ways that we do not follow must not pass unnoticed."""
        shared = "MAP_SHARED" in call.arguments and "PROT_WRITE" in call.arguments
        if call.name == "mmap" and not shared:
            return
        text = _text(call.arguments)
        if self._root in text and "-shm>" not in text:  # SQLite's -shm is made anew after a crash
            raise NotImplementedError(f"{call.name} on a file that is followed")

    def _openat(self, call: Call) -> None:
        self._open.pop(call.result, None)
        path = _paths(call)[-1]
        if not path.startswith(self._root) or "O_DIRECTORY" in call.arguments:
            return
        if path not in self._names:
            if "O_CREAT" not in call.arguments:
                return  # a folder
            self._names[path] = Inode()
        inode = self._names[path]
        if "O_TRUNC" in call.arguments:
            inode.truncate(0)
        self._open[call.result] = OpenFile(
            inode, append="O_APPEND" in call.arguments, synced="SYNC" in call.arguments
        )

    def _close(self, call: Call) -> None:
        self._open.pop(_descriptor(call), None)

    def _lseek(self, call: Call) -> None:
        if (file := self._open.get(_descriptor(call))) is not None:
            file.offset = call.result

    def _ftruncate(self, call: Call) -> None:
        if (file := self._open.get(_descriptor(call))) is not None:
            file.inode.truncate(int(call.arguments.rpartition(",")[2]))

    def _written(self, call: Call) -> None:
        file = self._open.get(_descriptor(call))
        if file is None:
            return
        found = _STRING.search(call.arguments)
        data = bytes.fromhex(found[1].replace("\\x", "") if found else "")[: call.result]
        if call.name == "pwrite64":
            file.inode.write(int(call.arguments.rpartition(",")[2]), data)
        else:
            at = len(file.inode.content) if file.append else file.offset
            file.inode.write(at, data)
            file.offset = at + len(data)
        if file.synced:
            self._synced(call)

    def _synced(self, call: Call) -> None:
        if (file := self._open.get(_descriptor(call))) is not None:
            file.inode.durable = bytes(file.inode.content)
        self._durable_names = dict(self._names)
        for inode in self._durable_names.values():
            inode.commit()

    def _renamed(self, call: Call) -> None:
        old, new = _paths(call)[-2:]
        inode = self._names.pop(old, None)
        if inode is not None:
            self._names[new] = inode


def _descriptor(call: Call) -> int:
    found = _FD.match(call.arguments)
    return int(found[1]) if found else -1


def _paths(call: Call) -> list[str]:
    """The paths that a call names, those below a folder's descriptor made whole."""
    found = [(_text(folder), _text(name)) for folder, name in _PATH.findall(call.arguments)]
    return [name if name.startswith("/") else f"{folder}/{name}" for folder, name in found]


def _text(hexadecimal: str) -> str:
    return re.sub(
        r"(?:\\x[0-9a-f]{2})+",
        lambda found: bytes.fromhex(found[0].replace("\\x", "")).decode("utf-8", "replace"),
        hexadecimal,
    )
