"""Dates and spans of time in yaql, as far as they follow from what is written down: nothing here asks a clock, the
zone of a computer or a locale, so that the same template makes the same thing everywhere and every time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any

from dateutil import parser
from yaql.language import specs, yaqltypes
from yaql.standard_library import date_time

from terrace.errors import SpecError

LONGEST = 100
"""Characters of a date, or of a format."""
UTC_NAMES = ("UTC", "GMT", "Z")
_DIRECTIVES = re.compile(r"%(.?)", re.DOTALL)
_READ = frozenset("aAbBdfHIjmMpSuUVwWyYzG%")
_WRITTEN = _READ | {"Z"}
_SOME = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2004, 2, 2, tzinfo=UTC))


def _no_clock(name: str) -> Any:
    """A function that says why it is not there."""

    @specs.name(name)
    def refused(*args: Any, **kwargs: Any) -> Any:
        raise SpecError(
            f"yaql: {name}() is not available: it would make something else of the same template every time",
            hint="give the time as a parameter: -p now=$(date -Iseconds), and datetime($.data.now)",
        )

    return refused


@specs.name("datetime")
@specs.parameter("string", yaqltypes.String())
@specs.parameter("format__", yaqltypes.String(True))
def from_text(string: str, format__: str | None = None) -> datetime:
    """A date as it is written: by a format, or in one of the usual forms, with year, month and day. UTC when no zone
    is said."""
    if len(string) > LONGEST:
        raise SpecError(f"yaql: a date is at most {LONGEST} characters long", code="limit-reached")
    if format__:
        _check(format__, _READ)
        found = datetime.strptime(string, format__)  # noqa: DTZ007 - a zone is put in below
    else:
        found, other = (parser.parse(string, default=some, tzinfos=_zone) for some in _SOME)
        if found != other:
            raise SpecError(f'yaql: "{string}" is no whole date: it takes a year, a month and a day')
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _zone(name: str | None, offset: int | None) -> tzinfo | None:
    """A zone by its distance; of names only those of UTC say one everywhere."""
    if offset is not None:
        return timezone(timedelta(seconds=offset))
    if name is None:
        return None
    if name.upper() not in UTC_NAMES:
        raise SpecError(f'yaql: the zone "{name}" is not known; write its distance: +01:00')
    return UTC


@specs.name("format")
@specs.method
@specs.parameter("dt", yaqltypes.DateTime())
@specs.parameter("format__", yaqltypes.String())
def to_text(dt: datetime, format__: str) -> str:
    """A date in the words of a format."""
    _check(format__, _WRITTEN)
    return dt.strftime(format__)


def _check(layout: str, known: frozenset[str]) -> None:
    """SpecError for directives that a computer's zone, locale or library would answer."""
    if len(layout) > LONGEST:
        raise SpecError(f"yaql: a format is at most {LONGEST} characters long", code="limit-reached")
    for directive in _DIRECTIVES.findall(layout):
        if directive not in known:
            names = " ".join(f"%{one}" for one in sorted(known))
            raise SpecError(f"yaql: a format does not know %{directive}", hint=f"known: {names}")


@specs.yaql_property(date_time.DATETIME_TYPE)
def utc(dt: datetime) -> datetime:
    """The same moment in UTC; the library's keeps the zone that it had."""
    return dt.astimezone(UTC)


@specs.yaql_property(date_time.DATETIME_TYPE)
def timestamp(dt: datetime) -> float:
    """Seconds since 1970; the library's counts the zone twice."""
    return dt.timestamp()


def is_date(value: Any) -> bool:
    """Whether a value is a date."""
    return isinstance(value, datetime)


def is_span(value: Any) -> bool:
    """Whether a value is a span of time."""
    return isinstance(value, timedelta)


DATES = (
    *(from_text, to_text, utc, timestamp, _no_clock("now"), _no_clock("localtz")),
    *(date_time.datetime_from_timestamp, date_time.build_datetime, date_time.replace),
)
"""Put in place of what the library has under these names."""
