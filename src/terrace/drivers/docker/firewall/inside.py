"""Programs and kernel settings in the network namespace of the engine, which need not be ours."""

from __future__ import annotations

import asyncio
import ctypes
import os
import re
import shutil
import socket
import struct
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import msgspec

from terrace.drivers.docker.wire.client import Engine
from terrace.errors import CapabilityError, TransientError

T = TypeVar("T")
PATH: Final = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
FILTER_BRIDGES: Final = "net/bridge/bridge-nf-call-iptables"
_CLONE_NEWNET: Final = 0x40000000
_SETTING: Final = re.compile(r"net/[a-z0-9]+/[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*")


class Done(msgspec.Struct, frozen=True):
    """What a program said, and its exit code."""

    code: int
    out: str
    said: str


def program(name: str) -> str:
    """The path of a program, "" when there is none."""
    return shutil.which(name, path=PATH) or ""


def lacking(engine: Engine) -> str:
    """Why rules cannot be made for this engine from here, "" when they can."""
    if not engine.local:
        return "the engine is on another machine, whose packet filter is out of reach"
    if os.geteuid() != 0:
        return "only root may change the packet filter of the engine's machine"
    if not program("nft"):
        return "nft is not installed on the engine's machine"
    if not os.path.exists(f"/proc/sys/{FILTER_BRIDGES}") and not program("modprobe"):
        return "the kernel does not filter what passes between machines of one network (br_netfilter)"
    try:
        daemon_of(engine.address.removeprefix("unix://"))
    except CapabilityError as error:
        return error.message
    except TransientError:
        pass  # it does not run now
    return ""


class Inside:
    """Runs programs and reads settings where the engine's network is, one at a time, in a thread of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._thread: ThreadPoolExecutor | None = None

    async def run(self, arguments: Sequence[str], given: str = "") -> Done:
        """A program (a list of arguments, never a shell line); `given` is its standard input."""
        seconds = self._engine.timeout

        def start() -> Done:
            try:
                ended = subprocess.run(
                    [program(arguments[0]) or arguments[0], *arguments[1:]],
                    input=given.encode(),
                    capture_output=True,
                    timeout=seconds,
                    check=False,
                )
            except subprocess.TimeoutExpired as late:
                message = f"{arguments[0]} took more than {seconds:g} s"
                raise TransientError(message, code="provider-timeout") from late
            except OSError as error:
                raise TransientError(f"{arguments[0]} cannot be run: {error.strerror}") from error
            return Done(
                ended.returncode, ended.stdout.decode(errors="replace"), ended.stderr.decode(errors="replace")
            )

        return await self._do(start)

    async def setting(self, name: str) -> str:
        """A setting of the kernel, such as net/ipv4/ip_forward; "" when there is none."""

        def read() -> str:
            try:
                with open(_setting(name), encoding="ascii") as file:
                    return file.read().strip()
            except OSError:
                return ""

        return await self._do(read)

    async def set(self, name: str, value: str) -> bool:
        """Changes a setting of the kernel; whether there is one."""

        def write() -> bool:
            try:
                with open(_setting(name), "w", encoding="ascii") as file:
                    file.write(value)
            except OSError:
                return False
            return True

        return await self._do(write)

    def close(self) -> None:
        """Ends the thread."""
        if self._thread is not None:
            self._thread.shutdown(wait=False, cancel_futures=True)
            self._thread = None

    async def _do(self, work: Callable[[], T]) -> T:
        address = self._engine.address.removeprefix("unix://")

        def there() -> T:
            _enter(daemon_of(address))
            return work()

        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="firewall")
        return await asyncio.get_running_loop().run_in_executor(self._thread, there)


def daemon_of(address: str) -> int:
    """The process that listens on a Unix socket. TransientError when nobody does, CapabilityError when it is one that
    this process cannot see, as out of a container."""
    try:
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(2.0)
            peer.connect(address)
            told = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    except OSError as error:
        raise TransientError(f"no answer from the Docker engine at {address}: {error.strerror}") from error
    number: int = struct.unpack("3i", told)[0]
    if number < 1:
        raise CapabilityError(
            "the engine's process cannot be seen from here, so its network cannot be entered"
        )
    return number


def _enter(process: int) -> None:
    """Moves this thread into the network of a process."""
    try:
        with open(f"/proc/{process}/ns/net", "rb") as namespace:
            wanted, held = os.fstat(namespace.fileno()), os.stat("/proc/thread-self/ns/net")
            if (wanted.st_dev, wanted.st_ino) == (held.st_dev, held.st_ino):
                return
            if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    except PermissionError as error:
        raise CapabilityError("this process may not enter the engine's network") from error
    except OSError as error:
        raise TransientError(f"the engine's network cannot be entered: {error.strerror}") from error


def _setting(name: str) -> str:
    if not _SETTING.fullmatch(name) or ".." in name:
        raise ValueError(name)
    return f"/proc/sys/{name}"
