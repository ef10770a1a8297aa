"""Functions that make texts, or take them apart."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from terrace.engine.functions.tank import SCAN, Tank, arity, json_of, listed, name_of, text_of
from terrace.errors import SpecError

DIGESTS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")
SCALARS, STRICT, VERY_STRICT = "scalars", "strict", "very strict"


def str_replace(args: list[Any], fuel: Tank) -> Any:
    """(template, params, rule): every key of params in the text replaced by its value. The longest key goes
    first, keys of one length in alphabetical order; what was put in is not looked at again. `rule` (may be left
    out) is "scalars" (maps and lists are refused), "strict" (every key must be in the text) or "very strict"
    (and no value empty). SpecError for anything but a text and a map."""
    template, params, rule = args if len(args) == 3 else (*arity("str_replace", args, 2), "")
    if rule not in ("", SCALARS, STRICT, VERY_STRICT):
        raise SpecError("str_replace takes a template and params")
    if not isinstance(template, str):
        raise SpecError(f"str_replace: the template must be a string, not {name_of(template)}")
    if not isinstance(params, Mapping):
        raise SpecError(f"str_replace: params must be a map, not {name_of(params)}")
    if not all(isinstance(key, str) and key for key in params):
        raise SpecError("str_replace: a key of params is empty or no text")
    _check_params(template, params, rule)
    return replaced(template, params, fuel, strict=rule in (STRICT, VERY_STRICT))


def _check_params(template: str, params: Mapping[str, Any], rule: str) -> None:
    for key, value in sorted(params.items()):
        if rule == VERY_STRICT and (value is None or (isinstance(value, str | dict | list) and not value)):
            raise SpecError(f'str_replace_vstrict: "{key[:100]}" of params has no value')
        if rule == SCALARS and isinstance(value, Mapping | list | tuple):
            raise SpecError(
                f'str_replace: "{key[:100]}" of params must be a string or number, not {name_of(value)}',
                hint="from heat_template_version 2015-10-15 on maps and lists are written as JSON",
            )


def replaced(text: str, params: Mapping[str, Any], fuel: Tank, *, strict: bool = False) -> str:
    """`text` with every key of `params` replaced by its value, the longest first. `strict`: SpecError for keys
    that were found nowhere."""
    pieces: list[tuple[str, bool]] = [(text, False)]
    for key in sorted(params, key=lambda key: (-len(key), key)):
        before = len(pieces)
        pieces = _replace(pieces, key, params[key], fuel)
        if strict and len(pieces) == before:
            raise SpecError(f'str_replace: "{key[:100]}" of params is nowhere in the template')
    fuel.spend(1, sum(len(piece) for piece, _ in pieces))
    return "".join(piece for piece, _ in pieces)


def _replace(pieces: list[tuple[str, bool]], key: str, value: Any, fuel: Tank) -> list[tuple[str, bool]]:
    """`pieces` (text, whether it was put in) with `key` replaced in those that were not put in."""
    fuel.spend(len(pieces))
    done: list[tuple[str, bool]] = []
    written: str | None = None
    for piece in pieces:
        text, inserted = piece
        found = 0 if inserted else text.count(key)
        fuel.spend(found + len(text) // SCAN)
        if not found:
            done.append(piece)
            continue
        if written is None:
            written = text_of(value, fuel)
        for part in text.split(key):
            done.append((part, False))
            done.append((written, True))
        done.pop()
    return done


def list_join(args: list[Any], fuel: Tank) -> Any:
    """(delimiter, list, ...): the items of all lists as one text. A list that is None, or an empty text or map, is
    left out, an item that is None is empty, maps and lists are JSON. SpecError for other items: a number is not a
    text."""
    if len(args) < 2:
        raise SpecError("list_join takes a delimiter and at least one list")
    delimiter = "" if args[0] is None else args[0]
    if not isinstance(delimiter, str):
        raise SpecError(f"list_join: the delimiter must be a string, not {name_of(delimiter)}")
    texts: list[str] = []
    for given in args[1:]:
        items = listed("list_join", None if given in ("", {}) else given)
        fuel.spend(len(items))
        texts.extend(_item(item, fuel) for item in items)
    fuel.spend(1, sum(map(len, texts)) + len(delimiter) * len(texts))
    return delimiter.join(texts)


def _item(value: Any, fuel: Tank) -> str:
    """How list_join writes an item."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping | list | tuple):
        return json_of(value, fuel)
    raise SpecError(
        f"list_join: an item must be a string, a map or a list, not {name_of(value)}",
        hint="write a number in quotes, or put it in with str_replace",
    )


def str_split(args: list[Any], fuel: Tank) -> Any:
    """(delimiter, text, index): the parts of a text between delimiters; with an index (which may be left out)
    the one part. None has no parts: it gives None."""
    delimiter, text, *rest = args if len(args) in (2, 3) else arity("str_split", args, 2)
    if not isinstance(delimiter, str) or not delimiter:
        raise SpecError("str_split: the delimiter must be a string that is not empty")
    if text is None:
        return None
    if not isinstance(text, str):
        raise SpecError(f"str_split splits a string, not {name_of(text)}")
    fuel.spend(1 + text.count(delimiter) + len(text) // SCAN, len(text))
    parts = text.split(delimiter)
    return _part(parts, rest[0]) if rest and rest[0] is not None else parts


def _part(parts: list[str], index: Any) -> str:
    if isinstance(index, str) and index.isdecimal() and len(index) < 10:
        index = int(index)
    if not isinstance(index, int) or isinstance(index, bool):
        raise SpecError(f"str_split: the index must be a whole number, not {name_of(index)}")
    if not 0 <= index < len(parts):
        raise SpecError(f"str_split: there is no part {index}; the text has {len(parts)}, from 0 on")
    return parts[index]


def digest(args: list[Any], fuel: Tank) -> Any:
    """(algorithm, text): the digest in hexadecimal."""
    algorithm, text = arity("digest", args, 2)
    if algorithm not in DIGESTS:
        known = ", ".join(DIGESTS)
        raise SpecError(f"digest: there is no such algorithm; known: {known}")
    if not isinstance(text, str):
        raise SpecError(f"digest takes a string, not {name_of(text)}")
    fuel.spend(1 + len(text) // SCAN, 128)
    made = hashlib.new(algorithm, text.encode("utf-8", "surrogatepass"), usedforsecurity=False)
    return made.hexdigest()
