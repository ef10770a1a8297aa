"""A parameter's value from several environments: the last one, or all of them merged, as the environments say."""

from __future__ import annotations

from typing import Any

import msgspec

from terrace.engine.functions.convert import convert
from terrace.languages.document import Document, Mark

OVERWRITE, MERGE, DEEP_MERGE = STRATEGIES = ("overwrite", "merge", "deep_merge")


class Given(msgspec.Struct, frozen=True):
    """A value for a parameter, and where it was given; `document` is None for one that came with the
    request. `strategy` is how it goes together with what earlier environments gave."""

    value: Any
    document: Document | None
    mark: Mark
    strategy: str = OVERWRITE


def combined(layers: list[Given], kind: str) -> Given:
    """What environments give a parameter of type `kind`, the later ones over the earlier ones. Given nothing,
    an environment changes nothing. ValueError, in words, for values that cannot be merged; the last one given is
    where it says so."""
    result: Given | None = None
    for layer in layers:
        if result is None or result.value is None or layer.strategy == OVERWRITE:
            result = layer
        elif layer.value is not None:
            value = _merged(result.value, layer.value, kind, deep=layer.strategy == DEEP_MERGE)
            result = Given(value, layer.document, layer.mark, layer.strategy)
    assert result is not None
    return result


def _merged(old: Any, new: Any, kind: str, *, deep: bool) -> Any:
    if kind == "boolean":
        raise ValueError("cannot be merged: it is true or false")
    if not kind:
        return _joined(old, new, deep=deep)
    one, other = convert(kind, old), convert(kind, new)
    return one + other if kind in ("string", "number") else _joined(one, other, deep=deep)


def _joined(old: Any, new: Any, *, deep: bool) -> Any:
    """Two values as one: maps by key, lists one after the other; else the newer."""
    if isinstance(old, list) and isinstance(new, list):
        return [*old, *new]
    if not isinstance(old, dict) or not isinstance(new, dict):
        return old + new if deep and isinstance(old, str) and isinstance(new, str) else new
    result = dict(old)
    for key, value in new.items():
        both = deep and key in old and old[key] is not None
        result[key] = _joined(old[key], value, deep=True) if both else value
    return result
