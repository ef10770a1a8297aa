"""What an unquoted word of YAML means: the rules of PyYAML's safe loader (and so Heat's), but dates stay
texts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from yaml import ScalarNode
from yaml.constructor import SafeConstructor
from yaml.resolver import Resolver

_TAG = "tag:yaml.org,2002:"
_SAFE = SafeConstructor()
_MAKE = {
    _TAG + "bool": _SAFE.construct_yaml_bool,
    _TAG + "int": _SAFE.construct_yaml_int,
    _TAG + "float": _SAFE.construct_yaml_float,
    _TAG + "null": _SAFE.construct_yaml_null,
}
# Words that may be something else than a text, by their first character ("" stands for the empty word).
_RULES = {
    first: [(tag, pattern.match) for tag, pattern in rules if tag in _MAKE]
    for first, rules in Resolver.yaml_implicit_resolvers.items()
}
LONGEST_NUMBER = 100
"""Characters; what is longer is a text, so that no document makes us work on endless numbers."""

TEXT_TAGS = frozenset({"!", _TAG + "str", _TAG + "timestamp"})
MAP_TAGS = frozenset({"!", _TAG + "map"})
LIST_TAGS = frozenset({"!", _TAG + "seq"})


def plain(text: str) -> Any:
    """The value of an unquoted word. ValueError for a number that is none or does not fit 64 bits."""
    if len(text) < 19 and text.isdecimal() and text.isascii() and text[0] != "0":
        return int(text)
    for tag, matches in _RULES.get(text[:1], ()):
        if len(text) <= LONGEST_NUMBER and matches(text):
            return _make(tag, text)
    return text


def tagged(tag: str, text: str) -> Any:
    """The value of a scalar with an explicit tag. ValueError when it does not fit; KeyError for a tag that
    does not mean plain data."""
    if tag in TEXT_TAGS:
        return text
    if len(text) > LONGEST_NUMBER:
        raise ValueError("too long")
    return _make(tag, text)


def _make(tag: str, text: str) -> Any:
    make: Callable[[ScalarNode], Any] = _MAKE[tag]
    try:
        value = make(ScalarNode(tag, text))
    except (KeyError, IndexError) as error:
        raise ValueError(text) from error
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        raise ValueError("too large")
    return value
