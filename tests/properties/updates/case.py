"""What one row of the table of updates says, and what many rows need."""

from __future__ import annotations

from typing import Any, NamedTuple

from terrace.model.graph import Blueprint, Edge, Node
from terrace.model.value import Ref

PATH = "it"
"""The path of the resource whose property is changed."""

GONE = object()
"""In place of a value: the property is left out."""


class To(NamedTuple):
    """The property goes from `before` (in place of the kind's own start) to `after`; `says` is what the plan must say
    of the resource, None: as the schema has it (`changes`). `with_` are more properties that stand before and after,
    `also` those that a language changes along with it."""

    after: Any
    before: Any = GONE
    says: str | None = None
    with_: dict[str, Any] = {}  # noqa: RUF012  (never written to)
    also: dict[str, Any] = {}  # noqa: RUF012  (never written to)


class Case(NamedTuple):
    """A kind: how one of it is made, what stands around it, and how each property changes."""

    start: dict[str, Any]
    changes: dict[str, tuple[To, ...]]
    around: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()
    blueprints: dict[str, Blueprint] = {}  # noqa: RUF012  (never written to)


IMAGES = ("registry/debian:12", "registry/nginx:1")
KEYS = ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPt one", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPu two")
ON = [{"network": Ref("net")}]
NETS = (Node("net", "Network", {"cidr": "10.1.0.0/24"}), Node("other", "Network", {"cidr": "10.2.0.0/24"}))
DISKS = (Node("disk", "Volume", {"size": 1}), Node("spare", "Volume", {"size": 1}))
BOXES = (
    Node("box", "Machine", {"image": IMAGES[0], "networks": ON}),
    Node("twin", "Machine", {"image": IMAGES[0], "networks": ON}),
)
