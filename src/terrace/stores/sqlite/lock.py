"""One server to one state folder: a lock that the system takes away from a process that dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from terrace.errors import ConflictError


class FileLock:
    """Holds `path` for as long as it is taken. The file names the process; it stays behind, empty."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle = -1

    def take(self) -> None:
        """ConflictError naming the process that has it; OSError when the file cannot be made."""
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        except BlockingIOError:
            holder = os.pread(handle, 32, 0).decode(errors="replace").strip() or "unknown"
            os.close(handle)
            raise ConflictError(
                f"the state folder {self._path.parent} is used by another server (process {holder})",
                hint="Stop that one (terrace server stop), or give this one a state folder of its own.",
                code="store-in-use",
            ) from None
        except OSError:
            os.close(handle)
            raise
        self._handle = handle

    def release(self) -> None:
        """Lets go; nothing happens when it was not taken."""
        if self._handle >= 0:
            os.ftruncate(self._handle, 0)
            os.close(self._handle)
            self._handle = -1
