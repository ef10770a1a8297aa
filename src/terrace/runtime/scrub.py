"""Takes known secrets out of what providers and guests say, before it is stored."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from terrace.errors import TerraceError
from terrace.model.stack import Generation
from terrace.model.step import Receipt
from terrace.model.value import Secret

SHORTEST = 4
MASK = "******"


class Scrubber:
    """Replaces each of some secret texts. Very short ones are left: they would eat ordinary words."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = sorted({text for text in secrets if len(text) >= SHORTEST}, key=len, reverse=True)

    @staticmethod
    def of(generation: Generation) -> Scrubber:
        """A scrubber of everything secret in a generation's parameters and graph."""
        found: set[str] = set()
        _collect(generation.parameters, found)
        _collect(generation.source.parameters, found)
        return Scrubber(found)

    def also(self, value: Any) -> Scrubber:
        """One that takes out what is secret in `value` as well."""
        found: set[str] = set()
        _collect(value, found)
        return Scrubber([*self._secrets, *found]) if found else self

    def text(self, text: str) -> str:
        """`text` without secrets."""
        for secret in self._secrets:
            if secret in text:
                text = text.replace(secret, MASK)
        return text

    def value(self, value: Any) -> Any:
        """`value` with every text inside scrubbed."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {key: self.value(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.value(item) for item in value]
        return value

    def receipt(self, receipt: Receipt) -> Receipt:
        """A receipt whose note and attributes are scrubbed."""
        if not self._secrets:
            return receipt
        seen = receipt.seen
        if seen is not None:
            seen = replace(seen, attributes=self.value(seen.attributes), why=self.text(seen.why))
        return replace(receipt, seen=seen, note=self.text(receipt.note))

    def error(self, error: TerraceError) -> TerraceError:
        """The same error with its message scrubbed."""
        if self._secrets:
            error.message = self.text(error.message)
            error.hint = self.text(error.hint)
        return error


def _collect(value: Any, found: set[str]) -> None:
    if isinstance(value, Secret):
        hidden = value.reveal()
        if isinstance(hidden, dict | list):
            _collect_plain(hidden, found)
        else:
            found.add(str(hidden))
    elif isinstance(value, dict):
        for item in value.values():
            _collect(item, found)
    elif isinstance(value, list | tuple):
        for item in value:
            _collect(item, found)


def _collect_plain(value: Any, found: set[str]) -> None:
    if isinstance(value, dict):
        for item in value.values():
            _collect_plain(item, found)
    elif isinstance(value, list):
        for item in value:
            _collect_plain(item, found)
    else:
        found.add(str(value))
