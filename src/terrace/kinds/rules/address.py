"""Checks of addresses, paths and names."""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Final

NAME: Final = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}"
_ODD: Final = re.compile(r"[^A-Za-z0-9.-]+")
_UNFIT: Final = re.compile(r"[^A-Za-z0-9_.-]+")


def host_name(path: str) -> str:
    """A name for a machine from the path of its node: fit to be a host name, at most 63 characters."""
    return _ODD.sub("-", path).strip("-.")[:63].rstrip("-.") or "machine"


def fitted(name: Any) -> Any:
    """A name of any letters as the name of a thing: what that cannot hold becomes a dash. None when nothing is left;
    what is no text as it is."""
    if not isinstance(name, str):
        return name
    return _UNFIT.sub("-", name).strip("-._")[:63] or None


def wrong_address(value: str) -> str:
    """What is wrong with an IP address, "" when nothing is."""
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return f'"{value}" is not an IP address' if value else ""
    return ""


def wrong_range(value: str) -> str:
    """What is wrong with an address range such as 10.0.0.0/24, "" when nothing is."""
    try:
        ipaddress.ip_network(value)
    except ValueError as error:
        return f'"{value}" is not an address range such as 10.0.0.0/24 ({error})' if value else ""
    return ""


def wrong_path(value: str) -> str:
    """What is wrong with a path inside a guest, "" when nothing is."""
    if not value.startswith("/") or "\0" in value:
        return f'"{value}" is not an absolute path'
    return f'"{value}" must not hold ".."' if ".." in value.split("/") else ""


def outside(address: str, cidr: str) -> bool:
    """Whether an address (both well-formed) lies outside a range."""
    return ipaddress.ip_address(address) not in ipaddress.ip_network(cidr)
