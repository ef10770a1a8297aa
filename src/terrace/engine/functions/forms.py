"""Custom constraints: those that a text fits or not by its form alone, and those for which a provider is asked."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Any

_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)", re.IGNORECASE)
_MAC = re.compile(r"[0-9a-f]{2}([:-])[0-9a-f]{2}(\1[0-9a-f]{2}){4}", re.IGNORECASE)
_TIME = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?")
_FIELD = re.compile(r"(\*|[0-9A-Za-z]{1,9}(-[0-9A-Za-z]{1,9})?)(/[0-9]{1,4})?")
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}")


def _parsed(parse: Callable[[str], Any], what: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        try:
            parse(value)
        except ValueError:
            return f"is not {what}"
        return ""

    return check


def _fits(pattern: re.Pattern[str], what: str) -> Callable[[str], str]:
    return lambda value: "" if len(value) <= 255 and pattern.fullmatch(value) else f"is not {what}"


def _host(value: str) -> str:
    labels = value.rstrip(".").split(".")
    fine = len(value) <= 255 and all(_LABEL.fullmatch(label) for label in labels)
    return "" if fine else "is not a host name"


def _domain(value: str) -> str:
    if not value.endswith("."):
        return "is not a domain: it ends with a dot"
    return "" if "." in value[:-1] and not _host(value) else "is not a domain such as example.org."


def _cron(value: str) -> str:
    fields = value.split()
    fine = len(fields) == 5 and len(value) <= 255
    fine = fine and all(_FIELD.fullmatch(part) for field in fields for part in field.split(","))
    return "" if fine else "is not a cron expression of five fields"


FORMS: dict[str, Callable[[str], str]] = {
    "ip_addr": _parsed(ipaddress.ip_address, "an IP address"),
    "net_cidr": _parsed(ipaddress.ip_network, "a range of addresses such as 10.0.0.0/24"),
    "ip_or_cidr": _parsed(ipaddress.ip_interface, "an IP address or a range of them"),
    "mac_addr": _fits(_MAC, "a MAC address"),
    "dns_name": _host,
    "rel_dns_name": _host,
    "dns_domain": _domain,
    "cron_expression": _cron,
    "iso_8601": _fits(_TIME, "a time such as 2030-12-31T23:59:59Z"),
    "expiration": _fits(_TIME, "a time such as 2030-12-31T23:59:59Z"),
    "timezone": _fits(_ZONE, "a time zone such as Europe/Berlin"),
}
"""What is wrong with a text, "" when nothing is."""

ASKED: dict[str, str] = {
    "nova.flavor": "Flavor",
    "glance.image": "Image",
    "nova.keypair": "KeyPair",
    "nova.server": "Machine",
    "neutron.network": "Network",
    "neutron.subnet": "Subnet",
    "neutron.port": "Port",
    "neutron.router": "Router",
    "neutron.security_group": "SecurityGroup",
    "cinder.volume": "Volume",
    "cinder.snapshot": "Snapshot",
}
"""The kind of thing that must exist."""

CLOUDS = (
    "nova", "glance", "neutron", "cinder", "keystone", "barbican", "designate", "manila", "magnum", "mistral",
    "monasca", "octavia", "sahara", "senlin", "swift", "trove", "zaqar", "zun", "heat", "ironic", "blazar", "aodh",
)  # fmt: skip
"""Services of OpenStack: what their other constraints ask for, no provider of Terrace can say."""


def known(name: str) -> bool:
    """Whether there is a custom constraint of that name."""
    return name in FORMS or name.partition(".")[0] in CLOUDS
