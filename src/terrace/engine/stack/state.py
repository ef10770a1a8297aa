"""A stack in memory: what is wanted and what is remembered, side by side, with the indexes that make a
change cost what it touches and nothing more. Mutable, but without effects: what must be written and done
gathers in a Turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from terrace.engine.allowance import Allowance
from terrace.engine.form import Mask, child_uid
from terrace.engine.stack.agenda import Agenda
from terrace.engine.stack.crossing import Exports, Imports
from terrace.model.catalogue import OPEN
from terrace.model.decision import Expansion
from terrace.model.event import Event
from terrace.model.graph import Edge, Keep, Node, Until
from terrace.model.record import Record, State, Tie
from terrace.model.seen import Absent, NotSeen, Present, Sighting
from terrace.model.stack import Generation, Stack
from terrace.model.step import Step
from terrace.model.value import refs
from terrace.ports.driver import Capabilities
from terrace.ports.kind import Kind, Wanted
from terrace.ports.store import Ruling

Key = tuple[str, int]


class Live:
    """One path of the stack: the node wanted there (None: nothing is), its current incarnation and older ones.

    `queue` holds the children that wait for their turn in a rollout. `gate` counts the dependencies known
    to be satisfied; `ready`, `settled` and `opened` hold for the generation at hand. `used` is the last
    incarnation number that is gone. `undecided`: its composite does not know yet whether it is wanted.
    `lacking`: it stands, and something that it was given has not come about inside of it. `stuck`: it is not settled,
    and nothing that is under way will change that. `short`: a composite's children wait because none of them may be
    away.
    `named` is the path that its names were made from, when that is not its own any more. `shown` is what
    dependents were evaluated with: (incarnation, reference, attributes).
    """

    __slots__ = (
        "blocked", "children", "current", "deps", "expansion", "gate", "healthy", "key", "lacking", "named", "node",
        "older", "opened", "parent", "path", "pending", "probe", "queue", "ready", "ready_at", "settled", "short",
        "shown", "stale", "stuck", "uid", "undecided", "urgent", "used", "values", "wanted", "words",
    )  # fmt: skip

    def __init__(self, path: str, key: str, uid: str, parent: Live | None) -> None:
        self.path = path
        self.key = key
        self.uid = uid
        self.named = ""
        self.parent = parent
        self.node: Node | None = None
        self.children: dict[str, Live] = {}
        self.pending: set[str] = set()
        self.queue: dict[str, None] = {}
        self.deps: tuple[Edge, ...] = ()
        self.gate = 0
        self.blocked = ""
        self.current: Record | None = None
        self.older: dict[int, Record] = {}
        self.urgent: set[int] = set()
        self.used = 0
        self.wanted: Wanted | None = None
        self.values: dict[str, Any] | None = None
        self.expansion: Expansion | None = None
        self.stale = True
        self.opened = False
        self.ready = False
        self.ready_at = 0.0
        self.healthy = False
        self.settled = False
        self.lacking = False
        self.stuck = False
        self.undecided = False
        self.short = False
        self.shown: Any = None
        self.probe: tuple[bool | None, str] | None = None
        self.words = ""

    def records(self) -> list[Record]:
        """All incarnations, oldest first."""
        found = [self.older[number] for number in sorted(self.older)]
        return [*found, self.current] if self.current else found


class Rules:
    """What the engine is given to decide with: kinds, what providers declare, and a mask for secrets."""

    def __init__(
        self,
        kinds: Mapping[str, Kind],
        capabilities: Mapping[str, Capabilities],
        mask: Mask,
        *,
        default_provider: str = "local",
        lease: float = 10.0,
    ) -> None:
        self.kinds = kinds
        self.capabilities = capabilities
        self.mask = mask
        self.default_provider = default_provider
        self.lease = lease

    def provider(self, node: Node) -> str:
        """The name of the provider that carries `node`."""
        return node.provider or self.kinds[node.kind].provider or self.default_provider


class Turn:
    """What one turn of a stack has to write and to start."""

    __slots__ = ("events", "heeded", "removals", "rulings", "steps", "synced", "unrulings", "upserts")

    def __init__(self) -> None:
        self.upserts: dict[Key, Record] = {}
        self.removals: set[Key] = set()
        self.events: list[Event] = []
        self.steps: list[tuple[str, Step]] = []
        self.rulings: list[Ruling] = []
        self.unrulings: list[tuple[str, str]] = []
        self.heeded: list[tuple[str, str]] = []
        self.synced = False

    def __bool__(self) -> bool:
        return bool(
            self.upserts or self.removals or self.events or self.steps or self.rulings or self.unrulings
        )


class StackState:
    """The stack's lives by path and uid, and what waits for what."""

    def __init__(self, stack: Stack, rules: Rules, new_uid: Callable[[], str], installation: str) -> None:
        self.stack = stack
        self.rules = rules
        self.new_uid = new_uid
        self.installation = installation
        self.generation: Generation | None = None
        self.lives: dict[str, Live] = {}
        self.by_uid: dict[str, Live] = {}
        self.dependents: dict[str, set[str]] = {}
        self.waiters: dict[str, set[str]] = {}
        self.tied: dict[Key, set[Key]] = {}
        self.holders: dict[str, set[Key]] = {}
        self.claim_waiters: dict[str, set[str]] = {}
        self.sightings: dict[Key, Sighting] = {}
        self.silent: dict[str, NotSeen] = {}
        self.hooked: set[str] = set()
        self.restored: set[str] = set()
        self.restoring: set[str] = set()
        self.accepted = 0.0
        self.running: set[Key] = set()
        self.held: dict[Key, tuple[float, str, Step]] = {}
        self.doing: dict[Key, tuple[dict[str, Any], str, tuple[Tie, ...], Keep]] = {}
        self.unsettled: set[str] = set()
        self.failing: set[str] = set()
        self.total = 0
        self.agenda = Agenda()
        self.observe: set[str] = set()
        self.ledger: dict[str, Ruling] = {}
        self.directives: dict[str, dict[str, Any]] = {}
        self.templates: dict[str, str] = {}
        self.imports = Imports()
        self.exports = Exports()
        self.allowance: Allowance | None = None
        self.offer = OPEN
        self.ended: dict[str, int | None] = {}
        self.epoch = 0
        self.turn = Turn()

    # ---- lives

    def live(self, path: str) -> Live:
        """The life at `path`, made (with its ancestors) when there is none."""
        found = self.lives.get(path)
        if found is not None:
            return found
        head, _, key = path.rpartition("/")
        parent = self.live(head) if head else None
        uid = child_uid(parent.uid, key) if parent else self.new_uid()
        made = self._add(path, key, uid, parent)
        made.undecided = parent is not None
        return made

    def _add(self, path: str, key: str, uid: str, parent: Live | None) -> Live:
        made = self.lives[path] = self.by_uid[uid] = Live(path, key, uid, parent)
        if parent:
            parent.children[key] = made
        return made

    def restore(self, records: list[Record]) -> None:
        """Takes in what the store remembers (before the first desired state)."""
        for record in sorted(records, key=lambda r: (r.path.count("/"), r.path, r.incarnation)):
            live = self.lives.get(record.path)
            if live is None:
                head, _, key = record.path.rpartition("/")
                live = self._add(record.path, key, record.uid, self.live(head) if head else None)
                live.undecided = live.parent is not None
            live.named = record.named or live.named
            if record.departing or live.current is not None:
                live.older[record.incarnation] = record
            else:
                live.current = record
            self._index(record)

    def forget(self, live: Live) -> None:
        """Drops a life that has neither node nor records nor children."""
        if live.node is not None or live.current or live.older or live.children:
            return
        self.lives.pop(live.path, None)
        self.by_uid.pop(live.uid, None)
        self.unsettled.discard(live.path)
        self.failing.discard(live.path)
        self.hooked.discard(live.path)
        if live.parent:
            live.parent.children.pop(live.key, None)
            live.parent.pending.discard(live.path)
            self.agenda.touch(live.parent.path)
            if live.parent.node is None:
                self.forget(live.parent)

    def want(self, live: Live, node: Node | None) -> None:
        """Sets the node wanted at a life; its dependencies are worked out anew when it changed."""
        before = live.node
        if node is None or before is None or node != before:
            for edge in live.deps:
                self.dependents.get(edge.node, set()).discard(live.path)
            live.deps = dependencies(node) if node else ()
            for edge in live.deps:
                self.dependents.setdefault(edge.node, set()).add(live.path)
            live.node = node
            if node is None:
                self.imports.settle(live.path, ())
            live.wanted = None
            live.values = None
            self.total += (node is not None) - (before is not None)
        live.undecided = False
        self.renew(live)

    def renew(self, live: Live) -> None:
        """A new generation begins for a life: nothing about it is ready until it was decided again."""
        live.gate = 0
        live.stale = True
        live.ready = live.settled = live.opened = live.healthy = False
        if live.parent and live.node is not None:
            live.parent.pending.add(live.path)
        self.unsettled.add(live.path)
        self.agenda.touch(live.path)

    # ---- records

    def put(self, live: Live, record: Record) -> None:
        """Remembers a record, in memory and in the turn."""
        old = (
            live.current
            if live.current and live.current.incarnation == record.incarnation
            else live.older.get(record.incarnation)
        )
        if old is not None and (old.ties != record.ties or old.claims != record.claims):
            self._unindex(old)
        if record.departing:
            if live.current and live.current.incarnation == record.incarnation:
                live.current = None
            live.older[record.incarnation] = record
        else:
            live.older.pop(record.incarnation, None)
            live.current = record
        self._index(record)
        self.turn.upserts[record.key] = record
        self.turn.removals.discard(record.key)

    def drop(self, live: Live, record: Record) -> None:
        """Forgets a record whose thing is gone, and wakes what waited for that."""
        if live.current and live.current.incarnation == record.incarnation:
            live.current = None
        live.older.pop(record.incarnation, None)
        live.urgent.discard(record.incarnation)
        live.used = max(live.used, record.incarnation)
        self._unindex(record)
        if record.adopted and all(one.provider_id != record.provider_id for one in live.records()):
            self.turn.unrulings.append((record.provider, record.provider_id))
        self.sightings.pop(record.key, None)
        self.running.discard(record.key)
        self.held.pop(record.key, None)
        self.doing.pop(record.key, None)
        self.turn.upserts.pop(record.key, None)
        self.turn.removals.add(record.key)
        self.agenda.touch(live.path)
        parent = live.parent
        if parent and parent.current and not live.older and not live.current:
            used = {**parent.current.incarnations, live.key: record.incarnation}
            self.put(parent, replace(parent.current, incarnations=used))
        if live.node is None:
            self.forget(live)

    def _index(self, record: Record) -> None:
        key = record.key
        for tie in record.ties:
            self.tied.setdefault((tie.uid, tie.incarnation), set()).add(key)
        for claim in record.claims:
            self.holders.setdefault(claim, set()).add(key)

    def _unindex(self, record: Record) -> None:
        key = record.key
        for tie in record.ties:
            target = (tie.uid, tie.incarnation)
            holders = self.tied.get(target)
            if holders is not None:
                holders.discard(key)
                if not holders:
                    del self.tied[target]
            self.touch_uid(tie.uid)
        for claim in record.claims:
            held = self.holders.get(claim)
            if held is not None:
                held.discard(key)
                if not held:
                    del self.holders[claim]
            for path in self.claim_waiters.pop(claim, ()):
                self.agenda.touch(path)

    def record(self, key: Key) -> tuple[Live, Record] | None:
        """The life and record of (uid, incarnation)."""
        live = self.by_uid.get(key[0])
        if live is None:
            return None
        if live.current and live.current.incarnation == key[1]:
            return live, live.current
        older = live.older.get(key[1])
        return (live, older) if older else None

    # ---- looking

    def sighting(self, record: Record, now: float) -> Sighting:
        """What counts as seen of a record: the newest of its last receipt and the listings since."""
        capabilities = self.rules.capabilities.get(record.provider)
        if capabilities is None:
            return NotSeen(since=now, why=f"there is no provider {record.provider!r} in the settings")
        if record.kind in capabilities.recorded:
            return Present(record.seen) if record.seen else Absent(now)
        silent = self.silent.get(record.provider)
        if silent is not None:
            return silent
        if not record.provider_id and record.intent is None and record.applied is None:
            return Absent(now)
        return self.sightings.get(record.key) or NotSeen(since=record.since, why="not looked at yet")

    # ---- waking

    def touch_uid(self, uid: str) -> None:
        """Look again at the path of a uid, and at what goes with it when it is a composite on its way out."""
        live = self.by_uid.get(uid)
        if live is None:
            return
        self.agenda.touch(live.path)
        if live.children and live.node is None:
            for child in live.children.values():
                self.touch_uid(child.uid)

    # ---- saying

    def say(self, kind: str, now: float, path: str = "", message: str = "", state: str = "") -> None:
        """An event of this stack."""
        number = self.generation.number if self.generation else 0
        self.turn.events.append(
            Event(
                kind=kind,
                at=now,
                stack=self.stack.id,
                path=path,
                message=message,
                state=state,
                generation=number,
                project=self.stack.project,
            )
        )

    def set_state(
        self, live: Live, record: Record, state: State, why: str, now: float, **changes: Any
    ) -> Record:
        """Remembers a record in a (new) state with its reason, and says so when the state changed."""
        moved = record.state is not state
        if moved:
            changes["since"] = now
        if not moved and not changes and record.why == why:
            return record
        number = self.generation.number if self.generation else 0
        made = replace(record, state=state, why=why, generation=number, **changes)
        self.put(live, made)
        if moved and state not in (State.WAITING, State.DEPARTING, State.UNDECIDED):
            self.say(f"resource.{state}", now, live.path, why, state)
        if state is State.FAILING:
            self.failing.add(live.path)
        else:
            self.failing.discard(live.path)
        return made


def suspended(state: StackState) -> bool:
    """Whether the stack is to stand still."""
    return bool(state.directives.get("", {}).get("suspended"))


def dependencies(node: Node) -> tuple[Edge, ...]:
    """The edges of a node: those it names, and a READY one to each node its properties and metadata refer to."""
    named = {edge.node: edge for edge in node.edges}
    meant = refs(node.external_id) if node.external_id else refs(node.properties)
    for path in sorted(meant | refs(node.metadata)):
        if path and path not in named:
            named[path] = Edge(path, Until.READY)
    return tuple(named.values())


def next_incarnation(live: Live) -> int:
    """A number that no incarnation of this uid ever had."""
    numbers = [live.used, *(record.incarnation for record in live.records())]
    if live.parent and live.parent.current:
        numbers.append(live.parent.current.incarnations.get(live.key, 0))
    return max(numbers) + 1
