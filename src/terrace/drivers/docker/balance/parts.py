"""What stands on a load balancer, as it is written down in its container."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from terrace.model.seen import Owner, Seen
from terrace.model.spec.balance import (
    HealthMonitorSpec,
    ListenerSpec,
    LoadBalancerSpec,
    PoolMemberSpec,
    PoolSpec,
)

BALANCER: Final = "LoadBalancer"
SPECS: Final[dict[str, Any]] = {
    "Listener": ListenerSpec,
    "Pool": PoolSpec,
    "PoolMember": PoolMemberSpec,
    "HealthMonitor": HealthMonitorSpec,
}
KINDS: Final = frozenset({BALANCER, *SPECS})
_TOKEN: Final = re.compile(r"[A-Za-z0-9]{1,64}-[0-9]{1,10}")
_SHORT: Final = 12  # characters of a container's id that are enough to find it


class Part(msgspec.Struct, frozen=True):
    """One thing on a load balancer. `leaving`: a member that finishes what it has begun, and gets nothing new."""

    kind: str
    owner: Owner
    spec: Any
    leaving: bool = False

    @property
    def token(self) -> str:
        """What names it in the configuration."""
        return self.owner.token


class Books(msgspec.Struct, frozen=True):
    """A load balancer, its address, and all that stands on it."""

    owner: Owner
    spec: LoadBalancerSpec
    address: str
    parts: tuple[Part, ...] = ()

    def of(self, kind: str) -> list[Part]:
        """The parts of a kind, always in the same order."""
        return sorted((part for part in self.parts if part.kind == kind), key=lambda part: part.token)

    def find(self, token: str) -> Part | None:
        """The part of that token."""
        return next((part for part in self.parts if part.token == token), None)

    def put(self, part: Part) -> Books:
        """With that part, in place of an earlier form of it."""
        return replace(self, parts=(*self.without(part.token).parts, part))

    def without(self, token: str) -> Books:
        """Without that part."""
        return replace(self, parts=tuple(part for part in self.parts if part.token != token))

    def pool_of(self, listener: Part) -> Part | None:
        """The pool that takes what a listener is sent."""
        named = token_of(listener.spec.pool)
        for pool in self.of("Pool"):
            if pool.token == named or (not named and token_of(pool.spec.listener) == listener.token):
                return pool
        return None

    def listeners_of(self, pool: Part) -> list[Part]:
        """The listeners that send to a pool."""
        return [
            one for one in self.of("Listener") if (found := self.pool_of(one)) and found.token == pool.token
        ]

    def on(self, pool: Part, kind: str) -> list[Part]:
        """The members or the monitor of a pool."""
        return [part for part in self.of(kind) if token_of(part.spec.pool) == pool.token]


def part_id(container: str, owner: Owner) -> str:
    """The provider id of a part: where it stands, and whose it is."""
    return f"{container[:_SHORT]}:{owner.token}"


def container_of(provider_id: str) -> str:
    """The container on which a part, or a load balancer itself, stands."""
    return provider_id.partition(":")[0]


def token_of(provider_id: str) -> str:
    """The token of a part by its provider id."""
    return provider_id.partition(":")[2]


def network_of(place: str) -> str:
    """The network of a subnet or network; a subnet of Terrace's own says it behind an @."""
    return place.rpartition("@")[2]


def parent_of(spec: Any) -> str:
    """The provider id of what a part stands on."""
    for name in ("balancer", "listener", "pool"):
        if found := getattr(spec, name, ""):
            return str(found)
    return ""


# --- as text


class _Written(msgspec.Struct, frozen=True):
    kind: str
    owner: Owner
    spec: dict[str, Any]
    leaving: bool = False


class _Book(msgspec.Struct, frozen=True):
    owner: Owner
    spec: LoadBalancerSpec
    address: str
    parts: tuple[_Written, ...] = ()


def written(books: Books) -> str:
    """The books as text."""
    parts = [
        {**msgspec.to_builtins(part), "spec": msgspec.to_builtins(part.spec)}
        for part in sorted(books.parts, key=lambda part: (part.kind, part.token))
    ]
    return msgspec.json.encode({**msgspec.to_builtins(books), "parts": parts}, order="sorted").decode() + "\n"


def read(text: str) -> Books | None:
    """The books that a text holds; None when it is none of ours, or was tampered with."""
    try:
        book = msgspec.json.decode(text, type=_Book)
        ipaddress.ip_address(book.address)
        parts = tuple(_read(one) for one in book.parts)
    except (msgspec.MsgspecError, ValueError, KeyError):
        return None
    return Books(book.owner, book.spec, book.address, parts)


def _read(one: _Written) -> Part:
    if not _TOKEN.fullmatch(one.owner.token):
        raise ValueError(one.owner.token)
    return Part(one.kind, one.owner, msgspec.convert(one.spec, SPECS[one.kind]), one.leaving)


# --- as it is seen


def shown(books: Books, container: str, statuses: dict[str, str]) -> list[Seen]:
    """The parts of a load balancer. `statuses`: by token, how a member is."""
    return [_seen(books, part, container, statuses) for part in books.parts]


def seen(books: Books, owner: Owner, container: str, statuses: dict[str, str]) -> Seen | None:
    """The part of that owner."""
    part = books.find(owner.token)
    return None if part is None else _seen(books, part, container, statuses)


def _seen(books: Books, part: Part, container: str, statuses: dict[str, str]) -> Seen:
    own, fields = part_id(container, part.owner), msgspec.structs.asdict(part.spec)
    ids = _ids(books, part, container)
    attributes = {"id": own, **ids}
    if part.kind in ("Listener", "Pool"):
        attributes["name"] = part.spec.name
    if part.kind == "PoolMember":
        status = "DRAINING" if part.leaving else statuses.get(part.token, "NO_MONITOR")
        status = status if part.spec.enabled else "OFFLINE"
        attributes |= {"address": part.spec.address, "operating_status": status}
    told = {name: value for name, value in fields.items() if isinstance(value, str | int | bool)}
    attributes["show"] = {**told, **attributes}
    return Seen(
        kind=part.kind,
        provider_id=own,
        owner=part.owner,
        attributes=attributes,
        properties={name: msgspec.to_builtins(value) for name, value in fields.items()},
        name=getattr(part.spec, "name", "") or part.token,
    )


def _ids(books: Books, part: Part, container: str) -> dict[str, Any]:
    """What it has to do with others."""

    def listed(parts: Iterable[Part]) -> list[dict[str, str]]:
        return [{"id": part_id(container, one.owner)} for one in parts]

    match part.kind:
        case "Listener":
            pool = books.pool_of(part)
            own = {"pool": part_id(container, pool.owner) if pool is not None else ""}
            return {**own, "loadbalancers": [{"id": container}]}
        case "Pool":
            monitor = next(iter(listed(books.on(part, "HealthMonitor"))), {"id": ""})["id"]
            members = listed(books.on(part, "PoolMember"))
            return {
                "listeners": listed(books.listeners_of(part)),
                "members": members,
                "healthmonitor_id": monitor,
            }
        case "PoolMember":
            return {"pool_id": part.spec.pool}
        case _:
            return {"pools": [{"id": part.spec.pool}]}
