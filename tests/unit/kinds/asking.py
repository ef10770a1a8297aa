"""Short ways to ask a kind what it thinks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from msgspec.structs import replace

from terrace.engine.form import digest, form
from terrace.errors import SpecError
from terrace.kinds import KINDS
from terrace.model.catalogue import FLAVORS, IMAGES, Catalogue
from terrace.model.decision import Change, Decision
from terrace.model.graph import Node
from terrace.model.record import Record
from terrace.model.seen import Absent, NotSeen, Owner, Present, Seen, Sighting
from terrace.ports.driver import Capabilities
from terrace.ports.kind import Wanted

UNABLE = Capabilities(
    kinds=frozenset(KINDS),
    catalogue=Catalogue(dict(FLAVORS), dict(IMAGES), {"plain": "ssh-ed25519 AAAA plain"}),
    snapshots=True,
    image_urls=("https://i.example/",),
)
NOWHERE = Absent(as_of=100.0)
UNSEEN = NotSeen(since=90.0, why="the listing failed")


def able(kind: str, fields: Iterable[str]) -> Capabilities:
    """A provider that changes these fields of a kind in place."""
    return replace(UNABLE, in_place={kind: frozenset(fields)})


def mask(data: bytes) -> str:
    """A stand-in for the keyed digest of a secret."""
    return f"masked {len(data)}"


def spec(kind: str, properties: dict[str, Any], path: str = "it", capabilities: Capabilities = UNABLE) -> Any:
    """The typed spec."""
    return KINDS[kind].spec(properties, Node(path=path, kind=kind, properties=properties), capabilities)


def wanted(
    kind: str, properties: dict[str, Any], path: str = "it", capabilities: Capabilities = UNABLE
) -> Wanted:
    """What is wanted, in its typed and its plain form."""
    typed = spec(kind, properties, path, capabilities)
    plain = form(typed, mask)
    node = Node(path=path, kind=kind, properties=properties)
    return Wanted(node=node, spec=typed, form=plain, digest=digest(plain), generation=1)


def wrong(kind: str, properties: dict[str, Any], capabilities: Capabilities = UNABLE) -> SpecError:
    """The mistake in these properties."""
    with pytest.raises(SpecError) as caught:
        spec(kind, properties, capabilities=capabilities)
    return caught.value


def changes(
    kind: str,
    before: dict[str, Any],
    after: dict[str, Any],
    capabilities: Capabilities = UNABLE,
    seen: Seen | None = None,
) -> Change:
    """What separates two wishes for one thing."""
    applied = wanted(kind, before).form
    return KINDS[kind].changes(wanted(kind, after), applied, seen, capabilities)


def there(kind: str, state: str = "available", **more: Any) -> Present:
    """A thing that is there."""
    return Present(Seen(kind=kind, provider_id="p-1", state=state, owner=Owner("here", "u", 1, "d"), **more))


def decide(
    kind: str,
    properties: dict[str, Any],
    sighting: Sighting,
    applied: dict[str, Any] | None = None,
    capabilities: Capabilities = UNABLE,
) -> Decision:
    """What a kind wants next, when properties `applied` (None: never) were applied before."""
    record = Record(path="it", kind=kind, uid="u")
    if applied is not None:
        record = replace(record, applied=wanted(kind, applied).form, provider_id="p-1")
    return KINDS[kind].decide(wanted(kind, properties), record, sighting, capabilities, 200.0)
