"""What a Docker engine makes of load balancers."""

from __future__ import annotations

from typing import Any, Final

from terrace.model.plan import Note, Verdict

_MAPS, _REFUSED = Verdict.MAPS, Verdict.REFUSED
_KEYS: Final = "there is no store of keys here that a reference could name; HTTPS is passed on as it is"

NOTES: Final[dict[str, tuple[Note, ...]]] = {
    "LoadBalancer": (Note(_MAPS, "", "a container that runs HAProxy at that address"),),
    "Listener": (
        Note(_MAPS, "", "a frontend of HAProxy"),
        Note(_REFUSED, "protocol=UDP", "HAProxy carries no UDP"),
        Note(_REFUSED, "protocol=PROXY", "it is a protocol of pools: a listener takes HTTP, HTTPS or TCP"),
        Note(_REFUSED, "protocol=TERMINATED_HTTPS", _KEYS),
        Note(_REFUSED, "certificate", _KEYS),
        Note(_REFUSED, "more_certificates", _KEYS),
    ),
    "Pool": (
        Note(_MAPS, "", "a backend of HAProxy"),
        Note(_REFUSED, "protocol=UDP", "HAProxy carries no UDP"),
        Note(_REFUSED, "protocol=TERMINATED_HTTPS", "members are spoken to by HTTP, HTTPS, TCP or PROXY"),
        Note(_REFUSED, "algorithm=SOURCE_IP_PORT", "HAProxy tells clients apart by address, not by port"),
    ),
    "PoolMember": (Note(_MAPS, "", "a server of HAProxy, which finishes what it began before it goes"),),
    "HealthMonitor": (
        Note(_MAPS, "", "health checks of HAProxy"),
        Note(_MAPS, "delay=0", "one second, the least"),
        Note(_REFUSED, "type=PING", "HAProxy makes connections, and sends no pings"),
        Note(_REFUSED, "type=UDP-CONNECT", "HAProxy carries no UDP"),
    ),
}
"""What becomes of these kinds on an engine."""


def refused(kind: str, spec: Any) -> str:
    """Why a thing cannot be here, now that all of its values are known; "" when it can."""
    for note in NOTES[kind]:
        name, _, value = note.what.partition("=")
        found = getattr(spec, name, None) if name else None
        if note.verdict is _REFUSED and found and (not value or found == value):
            return f"{note.what}: {note.words}"
    return ""
