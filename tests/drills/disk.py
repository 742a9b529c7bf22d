"""A disk whose power can be cut: an ext4 file system of its own in a file. Needs Linux and root.

A cut is the ext4 ioctl that file system tests use for it: from that instant on nothing reaches the
device any more, neither what the kernel still held in memory nor its journal. What had been
written to the device stays, also what no flush had followed: a disk that loses its own cache is
not shown here.
"""

import ctypes
import fcntl
import os
import subprocess
from pathlib import Path

IMAGE_BYTES = 1 << 30
SHUTDOWN = 0x8004587D
"""EXT4_IOC_SHUTDOWN, which is _IOR('X', 125, __u32)."""
WITHOUT_FLUSH = 2
"""EXT4_GOING_FLAGS_NOLOGFLUSH: not even the journal is written."""


class DiskRefused(RuntimeError):
    """This machine does not let us mount an image; the text says what it answered."""


class Disk:
    """Mounted at `folder` from `make` on; `remove` when done."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._image = folder.with_suffix(".img")

    def make(self) -> None:
        """Raises DiskRefused."""
        with self._image.open("wb") as file:
            file.truncate(IMAGE_BYTES)
        self.folder.mkdir()
        _run("mkfs.ext4", "-q", "-F", str(self._image))
        self._mount()

    def cut(self) -> None:
        """The power fails; whatever has files open on the disk gets errors from now on."""
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, SHUTDOWN, ctypes.c_uint32(WITHOUT_FLUSH))
        finally:
            os.close(descriptor)

    def come_back(self) -> None:
        """The power is there again: the file system replays its journal. Nobody may use it."""
        _run("umount", str(self.folder))
        self._mount()

    def remove(self) -> None:
        if os.path.ismount(self.folder):
            _run("umount", str(self.folder))
        self._image.unlink(missing_ok=True)

    def _mount(self) -> None:
        _run("mount", "-t", "ext4", "-o", "loop", str(self._image), str(self.folder))


def _run(*command: str) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise DiskRefused(f"{command[0]} is not installed (Debian: e2fsprogs, mount)") from error
    except subprocess.CalledProcessError as error:
        raise DiskRefused(
            f"{command[0]}: {error.stderr.strip()} (needs root, loop devices and the right to "
            "mount: in a container, --privileged)"
        ) from error
