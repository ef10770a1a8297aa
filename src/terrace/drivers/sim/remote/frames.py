"""What goes over the socket of a simulated provider: values of ours, each with its length before it."""

from __future__ import annotations

import asyncio
import io
import pickle
import struct
from typing import Any

import msgspec

from terrace import errors
from terrace.errors import TerraceError, TransientError
from terrace.model.value import Secret

_LENGTH = struct.Struct(">I")
_OURS = ("terrace.model.", "terrace.ports.", "terrace.drivers.sim.")
_MAKERS = {("terrace.drivers.sim.remote.frames", "rebuilt"), ("collections", "Counter")}
_PLAIN = frozenset({"set", "frozenset", "bytes", "tuple", "list", "dict", "complex", "bytearray"})


class _Reader(pickle.Unpickler):
    """Knows values of ours and plain data, and makes nothing else: no function is ever called by its name."""

    def persistent_load(self, pid: Any) -> Any:
        return Secret(pid)

    def find_class(self, module: str, name: str) -> Any:
        ours = f"{module}.".startswith(_OURS) and "." not in name
        if ours or (module, name) in _MAKERS or (module == "builtins" and name in _PLAIN):
            found = super().find_class(module, name)
            if isinstance(found, type) or (module, name) in _MAKERS:
                return found
        raise pickle.UnpicklingError(f"{module}.{name} does not go over this socket")


def rebuilt(kind: type[msgspec.Struct], fields: dict[str, Any]) -> msgspec.Struct:
    """A value of ours as it was. What it does not say is the very default of its kind: msgspec leaves out, when it
    shows a value, what is *identical* to the default."""
    return kind(**fields)


class _Writer(pickle.Pickler):
    """Secrets go as they are: the socket is its owner's alone."""

    def persistent_id(self, thing: Any) -> Any:
        return thing.reveal() if isinstance(thing, Secret) else None

    def reducer_override(self, thing: Any) -> Any:
        if not isinstance(thing, msgspec.Struct):
            return NotImplemented
        fields = {field.name: getattr(thing, field.name) for field in msgspec.structs.fields(thing)}
        for field in msgspec.structs.fields(thing):
            if fields[field.name] == field.default:
                del fields[field.name]
        return rebuilt, (type(thing), fields)


def packed(message: Any) -> bytes:
    """A message as it is sent."""
    written = io.BytesIO()
    _Writer(written, protocol=5).dump(message)
    body = written.getvalue()
    return _LENGTH.pack(len(body)) + body


async def receive(reader: asyncio.StreamReader) -> Any:
    """The next message. TransientError when the other end is gone, or says what it may not."""
    try:
        (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        return _Reader(io.BytesIO(await reader.readexactly(length))).load()
    except (asyncio.IncompleteReadError, OSError, pickle.UnpicklingError) as error:
        raise TransientError(f"the simulated provider does not answer: {error}") from error


def told(error: TerraceError) -> tuple[str, str, str, str]:
    """An error as it is sent."""
    return type(error).__name__, error.message, error.hint, error.code


def raised(kind: str, message: str, hint: str, code: str) -> TerraceError:
    """The error that was sent."""
    made: TerraceError = getattr(errors, kind)(message, hint=hint, code=code)
    return made
