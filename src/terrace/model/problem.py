"""A mistake in a document, with the place where it stands."""

from __future__ import annotations

import msgspec


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where something stands in a document: file name as the user gave it, line and column from 1."""

    file: str = ""
    line: int = 0
    column: int = 0


class Problem(msgspec.Struct, frozen=True, gc=False):
    """One mistake. `severity` is "error" or "warning"; `source` is the line of text it stands on ("" if unknown);
    `length` is how many columns to underline; `code` a stable kebab-case word."""

    message: str
    file: str = ""
    line: int = 0
    column: int = 0
    code: str = "invalid-document"
    severity: str = "error"
    hint: str = ""
    source: str = ""
    length: int = 1
