"""Runs as a program of its own: enters the mounts of a guest and attaches or detaches a volume there.

    python -m terrace.drivers.docker.mount attach PID CONTAINER TARGET MARK SOURCE rw|ro
    python -m terrace.drivers.docker.mount detach PID CONTAINER TARGET MARK

A process that enters another mount namespace cannot come back and must have one thread only, hence the
program. Everything it needs from this side (the volume's tree, the guest's namespace) is opened before it enters.
Ends with 0, or 1 and one line.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Sequence

from terrace.drivers.docker.marks import marked, mounts_of, owner_of

# Numbers of system calls, alike on all of Linux's architectures since 5.2.
_OPEN_TREE, _MOVE_MOUNT, _MOUNT_SETATTR = 428, 429, 442
_AT_FDCWD, _AT_EMPTY_PATH = -100, 0x1000
_OPEN_TREE_CLONE, _MOVE_MOUNT_F_EMPTY_PATH = 1, 4
_MOUNT_ATTR_RDONLY, _MOUNT_ATTR_NOSUID, _MOUNT_ATTR_NODEV = 1, 2, 4
_CLONE_NEWNS = 0x00020000
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC = 1, 2, 4, 8
_MS_PRIVATE = 1 << 18  # nothing that the host mounts below it later shows in the guest
_MNT_DETACH, _UMOUNT_NOFOLLOW = 2, 8

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def _tree(source: str, read_only: bool) -> int:
    """The volume's tree as a file descriptor, not mounted anywhere yet."""
    tree = _check(
        _libc.syscall(_OPEN_TREE, _AT_FDCWD, source.encode(), _OPEN_TREE_CLONE | os.O_CLOEXEC), "open_tree"
    )
    attributes = _MOUNT_ATTR_NOSUID | _MOUNT_ATTR_NODEV | (_MOUNT_ATTR_RDONLY if read_only else 0)
    wanted = (ctypes.c_uint64 * 4)(attributes, 0, _MS_PRIVATE, 0)
    _check(
        _libc.syscall(_MOUNT_SETATTR, tree, b"", _AT_EMPTY_PATH, wanted, ctypes.sizeof(wanted)),
        "mount_setattr",
    )
    return tree


def _enter(namespace: int) -> None:
    _check(_libc.setns(namespace, _CLONE_NEWNS), "setns")
    os.chdir("/")


def attach(pid: int, container: str, target: str, mark: str, source: str, read_only: bool) -> None:
    """Puts the volume at `target`; what is already there of an earlier try is taken on."""
    owner, volume = marked(mounts_of(pid, container)).get(target, (None, None))
    if owner is not None and owner != owner_of(mark):
        raise FileExistsError(f"another volume is attached at {target}")
    if volume is not None:
        return
    tree = _tree(source, read_only)
    _enter(_namespace(pid, container))
    os.makedirs(target, exist_ok=True)
    if owner is None:
        flags = _MS_RDONLY | _MS_NOSUID | _MS_NODEV | _MS_NOEXEC
        _check(_libc.mount(mark.encode(), target.encode(), b"tmpfs", flags, b"size=4k,nr_inodes=2"), "mount")
    _check(
        _libc.syscall(_MOVE_MOUNT, tree, b"", _AT_FDCWD, target.encode(), _MOVE_MOUNT_F_EMPTY_PATH),
        "move_mount",
    )


def detach(pid: int, container: str, target: str, mark: str) -> None:
    """Takes the volume and the mark below it away; nothing happens when they are not there."""
    owner, volume = marked(mounts_of(pid, container)).get(target, (None, None))
    wanted = owner_of(mark)
    if owner is None or wanted is None or (owner.uid, owner.incarnation) != (wanted.uid, wanted.incarnation):
        return
    _enter(_namespace(pid, container))
    for _ in range(1 if volume is None else 2):
        _check(_libc.umount2(target.encode(), _MNT_DETACH | _UMOUNT_NOFOLLOW), "umount")


def _namespace(pid: int, container: str) -> int:
    """The guest's mount namespace, opened before it is checked whose process it is: a number used anew is
    noticed."""
    namespace = os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
    if not mounts_of(pid, container):
        raise ProcessLookupError(f"container {container[:12]} does not run")
    return namespace


def main(arguments: Sequence[str]) -> int:
    """The program."""
    try:
        match list(arguments):
            case ["attach", pid, container, target, mark, source, mode]:
                attach(int(pid), container, target, mark, source, mode == "ro")
            case ["detach", pid, container, target, mark]:
                detach(int(pid), container, target, mark)
            case _:
                raise ValueError(
                    "attach PID CONTAINER TARGET MARK SOURCE rw|ro, or detach PID CONTAINER TARGET MARK"
                )
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{getattr(error, 'strerror', None) or error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
