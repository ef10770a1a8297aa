"""Where the page of a list ends, as a text that fits into a URL: the cursor that people are given and give back."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

import msgspec

from terrace.errors import UserError

LAST = "\U0010ffff"
"""Comes after every text that begins with less than this."""
Count = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
"""A whole number in a place: what every database can compare."""

T = TypeVar("T")


def cursor(place: Sequence[Any]) -> str:
    """The text that stands for a place: what the list is ordered by, of the last entry that was given."""
    return base64.urlsafe_b64encode(msgspec.json.encode(tuple(place))).decode().rstrip("=")


def place(text: str, form: type[T]) -> T:
    """The place that a cursor stands for, a tuple of type `form`; UserError when it is no cursor of such a list."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        found = msgspec.json.decode(data, type=form)
    except (msgspec.MsgspecError, binascii.Error, ValueError) as error:
        raise _unknown() from error
    if b"\\u0000" in data:  # what no database takes as a part of a text
        raise _unknown()
    return found


def _unknown() -> UserError:
    return UserError(
        "that is not a cursor of this list", code="invalid-cursor", hint="begin again without a cursor"
    )
