"""Encoding of values that may hold expressions and secrets: msgpack, with extension types of our own that no
user's data can imitate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from msgspec.msgpack import Decoder, Encoder, Ext

from terrace.model.value import Call, Ref, Secret

REF, CALL, SECRET = 1, 2, 3
LATER = "(known after apply)"

T = TypeVar("T")
Sealer = Callable[[bytes], bytes]


class Codec:
    """Encodes and decodes model values. `seal` and `unseal` encrypt what is inside a Secret; without them a
    Secret cannot be encoded at all (TypeError), which is the point."""

    def __init__(self, seal: Sealer | None = None, unseal: Sealer | None = None) -> None:
        self._seal = seal
        self._unseal = unseal
        self._encoder = Encoder(enc_hook=self._encode_hook)
        self._decoders: dict[Any, Decoder[Any]] = {}

    def encode(self, value: Any) -> bytes:
        """Bytes of `value`; TypeError for a Secret when there is no sealer."""
        return self._encoder.encode(value)

    def decode(self, data: bytes, kind: type[T]) -> T:
        """The value of type `kind` in `data`; msgspec.ValidationError when it is something else."""
        decoder = self._decoders.get(kind)
        if decoder is None:
            decoder = self._decoders[kind] = Decoder(kind, ext_hook=self._decode_hook)
        result: T = decoder.decode(data)
        return result

    def _encode_hook(self, value: Any) -> Any:
        if isinstance(value, Ref):
            return Ext(REF, self._encoder.encode([value.node, list(value.path)]))
        if isinstance(value, Call):
            return Ext(CALL, self._encoder.encode([value.function, list(value.args)]))
        if isinstance(value, Secret):
            if self._seal is None:
                raise TypeError("a secret cannot be encoded without a key")
            return Ext(SECRET, self._seal(msgspec.msgpack.encode(value.reveal())))
        raise TypeError(f"{type(value).__name__} cannot be encoded")

    def _decode_hook(self, code: int, data: memoryview) -> Any:
        if code == SECRET:
            if self._unseal is None:
                raise TypeError("a secret cannot be decoded without a key")
            return Secret(msgspec.msgpack.decode(self._unseal(bytes(data))))
        head, rest = self.decode(bytes(data), list)
        return Ref(head, tuple(rest)) if code == REF else Call(head, tuple(rest))


def reseal(data: bytes, old: tuple[bytes, ...], unseal: Sealer, seal: Sealer) -> bytes | None:
    """What was encoded, with every secret in it that is sealed with an older key (it begins with one of `old`) sealed
    anew; None when there is none."""
    changed = False

    def renewed(code: int, inside: memoryview) -> Any:
        nonlocal changed
        held = bytes(inside)
        if code != SECRET:
            return Ext(code, msgspec.msgpack.encode(msgspec.msgpack.decode(held, ext_hook=renewed)))
        if held.startswith(old):
            changed = True
            held = seal(unseal(held))
        return Ext(code, held)

    fresh = msgspec.msgpack.encode(msgspec.msgpack.decode(data, ext_hook=renewed))
    return fresh if changed else None


def show(value: Any) -> Any:
    """`value` as plain data for people and JSON: secrets become ******, expressions and unknowns a short
    text."""
    kind = type(value)
    if kind is dict:
        return {key: show(item) for key, item in value.items()}
    if kind is list or kind is tuple:
        return [show(item) for item in value]
    if kind is Secret:
        return "******"
    if kind is Ref:
        return f"<{'.'.join([value.node, *map(str, value.path)])}>"
    if kind is Call:
        return f"<{value.function}(...)>"
    if value is None or kind in (str, int, float, bool):
        return value
    return LATER if kind.__name__ == "Unknown" else str(value)
