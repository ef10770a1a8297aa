"""The plain form of a spec, by which what is wanted is compared with what was applied."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import Any

import msgspec

from terrace.errors import InvariantError
from terrace.model.value import UNKNOWN, Secret, Unknown, holds

Mask = Callable[[bytes], str]

_ENCODER = msgspec.msgpack.Encoder(order="deterministic")
_MARK = "\x00unknown"


def form(spec: Any, mask: Mask) -> dict[str, Any]:
    """`spec` as plain data without its defaults; secrets become {"secret": keyed digest by `mask`}; UNKNOWN stays."""
    unknown = False

    def hook(value: Any) -> Any:
        nonlocal unknown
        if isinstance(value, Secret):
            return hidden(value, mask)
        if isinstance(value, Unknown):
            unknown = True
            return _MARK
        raise InvariantError(f"a spec holds a {type(value).__name__}")

    plain: dict[str, Any] = msgspec.to_builtins(spec, enc_hook=hook)
    return _restore(plain) if unknown else plain


def hidden(value: Secret, mask: Mask) -> dict[str, str]:
    """A secret as it may be compared: its keyed digest."""
    return {"secret": mask(_ENCODER.encode(value.reveal()))}


def _restore(value: Any) -> Any:
    if value == _MARK:
        return UNKNOWN
    if isinstance(value, dict):
        return {key: _restore(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_restore(item) for item in value]
    return value


def digest(plain: dict[str, Any]) -> str:
    """A short digest of a form, equal for equal forms whatever the order of keys; "" while anything is unknown."""
    if holds(plain, Unknown):
        return ""
    return blake2b(_ENCODER.encode(plain), digest_size=10).hexdigest()


def child_uid(parent: str, key: str) -> str:
    """The uid of the child `key` of the composite `parent`: 20 characters of [0-9a-f]."""
    return blake2b(f"{parent}/{key}".encode(), digest_size=10).hexdigest()
