"""How values lie in a store: msgpack with sealed secrets for the engine, JSON for what people read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from terrace.errors import InvariantError, SpecError
from terrace.model.codec import Codec
from terrace.model.event import Event
from terrace.model.graph import Graph
from terrace.model.record import Record
from terrace.model.stack import Directive, Generation, Source
from terrace.ports.secrets import Secrets


class Content(msgspec.Struct, frozen=True):
    """The heavy part of a generation, which lists leave out."""

    graph: Graph
    source: Source


class Encoding:
    """Turns values into bytes and back. A Secret is sealed wherever it stands; in an event it is refused."""

    def __init__(self, secrets: Secrets) -> None:
        self._codec = Codec(secrets.seal, secrets.unseal)
        self._json = msgspec.json.Encoder()
        self._events = msgspec.json.Decoder(Event)

    def record(self, record: Record) -> bytes:
        """The bytes of a record; InvariantError when something in it cannot be stored."""
        return _encoded(self._codec.encode, record, record.path)

    def read_record(self, data: bytes) -> Record:
        """The record in `data`; InvariantError when a secret in it cannot be unsealed."""
        return self._codec.decode(data, Record)

    def directive(self, directive: Directive) -> bytes:
        """The bytes of a directive; InvariantError when something in it cannot be stored."""
        return _encoded(self._codec.encode, directive, f"{directive.what} of {directive.path or 'the stack'}")

    def read_directive(self, data: bytes) -> Directive:
        """The directive in `data`."""
        return self._codec.decode(data, Directive)

    def value(self, value: Any) -> bytes:
        """The bytes of a value that goes from one stack to another; InvariantError when it cannot be stored."""
        return _encoded(self._codec.encode, value, "an output")

    def read_value(self, data: bytes) -> Any:
        """The value in `data`."""
        return self._codec.decode(data, object)

    def generation(self, generation: Generation) -> tuple[bytes, bytes]:
        """The bytes of a generation: all but graph and source, and those two."""
        name = f"generation {generation.number}"
        light = msgspec.structs.replace(generation, graph=Graph(), source=Source(""))
        content = Content(generation.graph, generation.source)
        return _encoded(self._codec.encode, light, name), _encoded(self._codec.encode, content, name)

    def read_generation(self, light: bytes, content: bytes | None, settled: float, failed: str) -> Generation:
        """The generation in `light`, whole when `content` is given, with the marks it has got since."""
        generation = self._codec.decode(light, Generation)
        if content is None:
            return msgspec.structs.replace(generation, settled=settled, failed=failed)
        heavy = self._codec.decode(content, Content)
        return msgspec.structs.replace(
            generation, settled=settled, failed=failed, graph=heavy.graph, source=heavy.source
        )

    def event(self, event: Event) -> str:
        """The JSON of an event; InvariantError when something in it cannot be shown."""
        return _encoded(self._json.encode, event, event.kind).decode()

    def read_event(self, number: int, text: str) -> Event:
        """The event in `text`, numbered."""
        return msgspec.structs.replace(self._events.decode(text), number=number)


def _encoded(encode: Callable[[Any], bytes], value: Any, name: str) -> bytes:
    try:
        return encode(value)
    except TypeError as error:
        raise InvariantError(f"{name} cannot be stored: {error}") from error
    except (OverflowError, ValueError) as error:
        raise SpecError(f"{name} cannot be stored: {error}") from error
