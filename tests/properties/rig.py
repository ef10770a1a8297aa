"""A stack's engine without a runtime: steps are applied by hand, in any order, by a provider that is a dictionary."""

from __future__ import annotations

from collections import Counter
from typing import Any

from msgspec.structs import replace

from terrace.engine.form import form
from terrace.engine.plan import make_plan
from terrace.engine.stack import summary
from terrace.engine.stack.state import Rules, StackState
from terrace.engine.turn import absorb, advance
from terrace.errors import PermanentError, TransientError
from terrace.kinds import KINDS
from terrace.model.graph import Graph
from terrace.model.plan import Plan
from terrace.model.record import Record
from terrace.model.seen import NotSeen, Seen
from terrace.model.stack import Generation, Phase, Source, Stack
from terrace.model.step import Receipt, Step, Verb
from terrace.ports.driver import Capabilities
from terrace.ports.store import Ruling

INSTALLATION = "here"
OFFERED = frozenset({"Machine", "Volume", "Network"})
MADE = frozenset({"Value"})
IN_PLACE = {"Machine": frozenset({"memory", "cpu", "networks"}), "Volume": frozenset({"size"})}


def mask(data: bytes) -> str:
    """A stand-in for the keyed digest of secrets."""
    return data.hex()


class Provider:
    """Things by provider id, and what was ever done to them."""

    def __init__(self) -> None:
        self.things: dict[str, Seen] = {}
        self.specs: dict[str, Any] = {}
        self.made: Counter[tuple[str, int]] = Counter()
        self.deleted: list[str] = []
        self.count = 0

    def apply(self, step: Step) -> Receipt:
        """Create is once by owner, the rest by provider id, as an honest provider does it."""
        if step.kind in MADE:
            made = Seen(
                step.kind,
                step.owner.token,
                step.owner,
                attributes={"value": getattr(step.spec, "value", None)},
            )
            return Receipt.done(None if step.verb is Verb.DELETE else made)
        if step.verb is Verb.DELETE:
            self.things.pop(step.provider_id, None)
            self.deleted.append(step.provider_id)
            return Receipt.done(None)
        if step.verb is Verb.CREATE:
            return Receipt.done(self.create(step))
        if step.provider_id not in self.things:
            return Receipt.done(None)
        seen = self.things[step.provider_id]
        if step.verb is Verb.UPDATE:
            shown = {**seen.properties, **self.shown(step)}
            seen = replace(seen, properties=shown)
        else:
            seen = replace(seen, state="running")
        self.things[step.provider_id] = seen
        return Receipt.done(seen)

    def create(self, step: Step) -> Seen:
        """Makes the thing, or finds the one there is."""
        for seen in self.things.values():
            owner = seen.owner
            if owner and (owner.uid, owner.incarnation) == (step.owner.uid, step.owner.incarnation):
                return seen
        self.count += 1
        self.made[step.owner.uid, step.owner.incarnation] += 1
        name = f"{step.kind.lower()}-{self.count}"
        state = "running" if step.kind == "Machine" else "available"
        attributes = {"id": name, "first_address": f"10.0.0.{self.count}"}
        seen = Seen(step.kind, name, step.owner, state, attributes=attributes, properties=self.shown(step))
        self.things[name] = seen
        return seen

    @staticmethod
    def shown(step: Step) -> dict[str, Any]:
        """The properties that a listing shows."""
        plain = form(step.spec, mask)
        return {"memory": plain.get("memory", 0)} if step.kind == "Machine" else {}


class Rig:
    """One stack: desire, steps in flight, a provider. Time is a number that only rises."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.uids = 0
        self.provider = Provider()
        self.flying: list[tuple[str, Step]] = []
        self.records: dict[tuple[str, int], Record] = {}
        self.generation: Generation | None = None
        self.ledger: dict[tuple[str, str], Ruling] = {}
        offered = {
            "local": Capabilities(kinds=OFFERED, in_place=IN_PLACE),
            "builtin": Capabilities(kinds=MADE, recorded=MADE),
        }
        self.rules = Rules(KINDS, offered, mask)
        self.state = self.fresh()

    def fresh(self) -> StackState:
        """A stack's state as a new process begins with."""
        head = Stack("s", "default", "s", 0)
        state = StackState(head, self.rules, self.uid, INSTALLATION)
        state.ledger = {ruling.path: ruling for ruling in self.ledger.values()}
        return state

    def uid(self) -> str:
        """A new identifier."""
        self.uids += 1
        return f"u{self.uids:019d}"

    def tick(self, seconds: float = 1.0) -> None:
        """Time passes."""
        self.now += seconds

    def desire(self, graph: Graph, deleting: bool = False) -> None:
        """A new generation."""
        number = self.generation.number + 1 if self.generation else 1
        self.generation = Generation(number, graph, Source("t"), self.now, deleting=deleting)
        advance.desire(self.state, self.generation, self.now)
        self.turn()

    def turn(self) -> None:
        """One turn; what it writes is remembered, what it starts is in flight."""
        turn = advance.advance(self.state, self.now)
        for key in turn.removals:
            self.records.pop(key, None)
        self.records.update(turn.upserts)
        for unruling in turn.unrulings:
            self.ledger.pop(unruling, None)
        self.ledger.update({(ruling.provider, ruling.provider_id): ruling for ruling in turn.rulings})
        self.state.stack = summary.summarise(self.state, self.now)
        for provider, step in turn.steps:
            self.check(step)
            self.flying.append((provider, step))

    def check(self, step: Step) -> None:
        """What must hold of every step that is started."""
        key = (step.owner.uid, step.owner.incarnation)
        record = self.records.get(key)
        assert record is not None, f"{step.verb} of {step.names.path} has no record"
        assert record.intent is not None, f"{step.verb} of {step.names.path} has no committed intent"
        assert step.owner.installation == INSTALLATION
        if step.verb is Verb.DELETE:
            assert step.provider_id, "a delete names a provider id"
            holders = [r for r in self.records.values() if any((t.uid, t.incarnation) == key for t in r.ties)]
            alive = [
                r.path for r in holders if r.uid != record.uid and not record.key[1] < self.newest(record.uid)
            ]
            assert not alive, f"{step.names.path} is deleted while {alive} refer to it"

    def newest(self, uid: str) -> int:
        """The newest incarnation of a uid."""
        return max((r.incarnation for r in self.records.values() if r.uid == uid), default=0)

    def land(self, index: int, outcome: str = "done") -> None:
        """One step in flight comes back: done, lost (it happened, we do not hear), refused, or failed."""
        name, step = self.flying.pop(index % len(self.flying))
        if outcome == "done":
            absorb.receive(self.state, name, step, self.provider.apply(step), self.now)
        elif outcome == "refused":
            absorb.fail(self.state, step, PermanentError("no"), self.now, 0.5)
        else:
            if outcome == "lost":
                self.provider.apply(step)
            absorb.fail(self.state, step, TransientError("busy"), self.now, 0.5)
        self.turn()

    def listing(self) -> None:
        """A complete listing arrives that started now."""
        items: dict[tuple[str, int], list[Seen]] = {}
        for seen in self.provider.things.values():
            if seen.owner is not None:
                items.setdefault((seen.owner.uid, seen.owner.incarnation), []).append(seen)
        absorb.observe(self.state, "local", absorb.Listing(self.now, items), self.now)
        self.turn()

    def silence(self) -> None:
        """The provider cannot be listed."""
        absorb.silence(self.state, "local", NotSeen(self.now, "away"))
        self.turn()

    def restart(self) -> None:
        """The process dies with everything in flight and begins anew from what is stored."""
        self.flying.clear()
        self.state = self.fresh()
        self.state.restore(list(self.records.values()))
        if self.generation is not None:
            advance.desire(self.state, self.generation, self.now)
        self.turn()

    def settle(self, rounds: int = 400) -> None:
        """Faults have stopped: everything lands, time passes, listings come, until nothing moves."""
        for _ in range(rounds):
            while self.flying:
                self.land(0)
            if not self.state.unsettled and not self.flying:
                break
            self.tick(700.0)
            self.listing()
        while self.flying:
            self.land(0)

    @property
    def settled(self) -> bool:
        """Whether the stack is settled or gone."""
        return summary.summarise(self.state, self.now).phase in (Phase.SETTLED, Phase.GONE)

    def plan(self, graph: Graph, deleting: bool = False) -> Plan:
        """The plan of a graph over what is remembered."""
        state = self.fresh()
        state.stack = self.state.stack
        state.restore(list(self.records.values()))
        state.sightings.update(self.state.sightings)
        number = (self.generation.number if self.generation else 0) + 1
        return make_plan(state, Generation(number, graph, Source("t"), self.now, deleting=deleting), self.now)

    def why(self) -> str:
        """Where everything stands, for messages of failures."""
        rows = [
            f"{r.path}#{r.incarnation} {r.state} {r.why} {r.intent} dep={r.departing}"
            for r in self.records.values()
        ]
        return "\n".join(
            [str(summary.summarise(self.state, self.now)), *rows, str(self.flying), str(self.state.unsettled)]
        )
