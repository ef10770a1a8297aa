"""What the engine and the runtime need of a kind. Pure: a kind talks to nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec

from terrace.model.decision import Change, Claim, Decision, Expansion
from terrace.model.graph import Blueprint, Node
from terrace.model.plan import Note
from terrace.model.record import Record, State
from terrace.model.seen import Seen, Sighting
from terrace.ports.driver import Capabilities


class Wanted(msgspec.Struct, frozen=True):
    """A node with its properties evaluated. `spec` is the kind's typed spec; `form` the same as plain data,
    defaults left out and secrets as keyed digests (comparable with Record.applied); `digest` that of
    `form` ("" while anything is UNKNOWN). `directives` are what is desired of it besides the template, by name.
    `asked` is when this generation was asked for (epoch seconds). `short`: a composite's children cannot
    change, since none of them may be away.
    """

    node: Node
    spec: Any
    form: dict[str, Any]
    digest: str = ""
    generation: int = 0
    directives: dict[str, Any] = {}
    asked: float = 0.0
    short: bool = False


class Child(msgspec.Struct, frozen=True, gc=False):
    """A child of a composite in a few words. `since` is when it entered `state`; `created` when it first
    existed (epoch seconds, 0: not yet)."""

    key: str
    state: State
    ready: bool = False
    created: float = 0.0


class Kind(Protocol):
    """One noun. `provider` is "builtin" for what Terrace makes itself, "" for the default provider. `shared`
    things (images) belong to everybody: they are made when missing and never deleted with a stack."""

    name: str
    provider: str
    shared: bool
    composite: bool

    def spec(self, values: Mapping[str, Any], node: Node, capabilities: Capabilities) -> Any:
        """The typed spec from evaluated properties (which may hold UNKNOWN); SpecError with the path of the
        property."""

    def directed(self, spec: Any, directives: Mapping[str, Any]) -> Any:
        """`spec` with what is desired besides the template, by name. Composites read theirs when they expand."""

    def resolve(
        self, values: Mapping[str, Any], thing: Callable[[str], Mapping[str, Any] | None]
    ) -> Mapping[str, Any]:
        """`values` with the reference ids that stand for what Terrace itself keeps (configurations, flavors) replaced
        by what is kept. `thing` gives the attributes of that under a reference id, None when it is none."""

    def decide(
        self, wanted: Wanted, record: Record, sighting: Sighting, capabilities: Capabilities, now: float
    ) -> Decision:
        """What it wants next, given what was applied and what is there."""

    def changes(
        self, wanted: Wanted, applied: Mapping[str, Any], seen: Seen | None, capabilities: Capabilities
    ) -> Change:
        """The only difference function: none, in place or replace; certain or maybe."""

    def claims(self, spec: Any, capabilities: Capabilities) -> frozenset[Claim]:
        """What this spec holds exclusively."""

    def reference(self, seen: Seen) -> Any:
        """What `get_resource` gives: the reference id."""

    def notes(self, node: Node, capabilities: Capabilities) -> tuple[Note, ...]:
        """What becomes of the node on a provider, where that is not just what its words say. For plans."""

    def foretell(self, wanted: Wanted, path: tuple[Any, ...]) -> Any:
        """The attribute at `path` as far as it follows from the spec alone, before anything exists; else
        UNKNOWN. For plans."""


class Composite(Kind, Protocol):
    """A kind that consists of children, which the engine diffs, orders and rolls out like any others."""

    def expand(
        self,
        wanted: Wanted,
        blueprint: Blueprint | None,
        record: Record,
        children: Mapping[str, Child],
        now: float,
    ) -> Expansion:
        """The children wanted. `children` are those that exist, by key (the last part of their path). Called
        again only when the inputs or the children's summaries change, or at Expansion.look_again."""

    def attribute(self, expansion: Expansion, path: tuple[Any, ...]) -> Any:
        """The expression over children (full paths) that a Ref to the composite with this path stands for."""
