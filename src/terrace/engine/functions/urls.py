"""The function that makes the address of something in a network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlunsplit

from terrace.engine.functions.tank import SCAN, Tank, arity, mapped, name_of
from terrace.errors import SpecError

PARTS = ("scheme", "username", "password", "host", "port", "path", "query", "fragment")
_PORTS = range(1, 65536)


def make_url(args: list[Any], fuel: Tank) -> Any:
    """(parts): a URL from its parts, each quoted as it must be there. SpecError for parts that do not fit
    together."""
    (parts,) = arity("make_url", args, 1)
    given = {key: value for key, value in mapped("make_url", parts).items() if value not in (None, "", {})}
    for key, value in given.items():
        if key not in PARTS:
            raise SpecError(f'make_url: there is no part "{str(key)[:100]}"; known: {", ".join(PARTS)}')
        if key not in ("query", "port") and not isinstance(value, str):
            raise SpecError(f"make_url: {key} must be a string, not {name_of(value)}")
    scheme = given.get("scheme", "")
    if not all(char.isascii() and (char.isalnum() or char in "+-.") for char in scheme):
        raise SpecError("make_url: a scheme has letters, digits, +, - and . only")
    where = "".join(_location(given))
    path = quote(given.get("path", ""))
    query = _query(given.get("query", {}))
    url = urlunsplit((scheme, where, path, query, quote(given.get("fragment", ""))))
    fuel.spend(1 + len(url) // SCAN, len(url))
    return url


def _location(given: Mapping[str, Any]) -> Iterator[str]:
    """Who is to be asked where."""
    if "username" in given or "password" in given:
        yield quote(given.get("username", ""), "")
        if "password" in given:
            yield ":" + quote(given["password"], "")
        yield "@"
    host = given.get("host", "")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    host = quote(host, ":")
    yield f"[{host}]" if ":" in host else host
    if "port" in given:
        yield f":{_port(given['port'])}"


def _port(port: Any) -> int:
    number = int(port) if isinstance(port, str) and port.isdecimal() and len(port) < 6 else port
    if isinstance(number, bool) or not isinstance(number, int) or number not in _PORTS:
        raise SpecError("make_url: the port must be a number from 1 to 65535")
    return number


def _query(query: Any) -> str:
    if not isinstance(query, Mapping):
        raise SpecError(f"make_url: the query must be a map, not {name_of(query)}")
    parts = sorted((str(key), "" if value is None else str(value)) for key, value in query.items())
    return urlencode(parts).replace("%2F", "/")
