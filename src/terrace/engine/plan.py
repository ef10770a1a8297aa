"""The plan: every decision of the engine, taken with what is not known yet standing as unknown. It has no
logic of its own about any kind, so it cannot promise what the engine would not do."""

from __future__ import annotations

from typing import Any, cast

from msgspec.structs import replace

from terrace.engine.expression import evaluate
from terrace.engine.quota import COUNTED, amounts, endless
from terrace.engine.stack import moving, sizes, snapshots, spread, want
from terrace.engine.stack.contents import contents
from terrace.engine.stack.read import looking, lookup, step_into
from terrace.engine.stack.state import Live, StackState
from terrace.engine.turn import hooks
from terrace.engine.turn.composite import blank, expand_for_plan
from terrace.engine.turn.moves import Moves, notes_of
from terrace.errors import SpecError
from terrace.model.decision import Act, Change, Effect, Expansion, Refuse, Settled
from terrace.model.graph import Keep, Name
from terrace.model.plan import Item, Plan, Planned
from terrace.model.problem import Problem
from terrace.model.record import Record
from terrace.model.seen import NotSeen, Present
from terrace.model.spec.machine import MachineSpec
from terrace.model.spec.quota import Amounts
from terrace.model.stack import Generation
from terrace.model.step import Verb
from terrace.model.value import UNKNOWN, Ref, Unknown, holds
from terrace.ports.kind import Composite, Wanted

HEALS = (Verb.START, Verb.UNPAUSE, Verb.RESTART)
STILL = (Planned.NOTHING, Planned.HEAL)


def make_plan(state: StackState, generation: Generation, now: float) -> Plan:
    """What a generation would change in a stack. `state` holds the records and sightings and is used up by this."""
    return _Planner(state, generation, now).run()


def held_by(due: str) -> str:
    """What to say behind the reason of what a hook will hold."""
    return f"; held by its {due.partition(' ')[0]} hook until that is cleared" if due else ""


class _Planner:
    def __init__(self, state: StackState, generation: Generation, now: float) -> None:
        self.state = state
        self.generation = generation
        self.now = now
        self.moves = Moves(state)
        self.items: dict[str, Item] = {}
        self.wanted: dict[str, Wanted] = {}
        self.made: set[str] = set()
        self.waits: dict[str, str] = {}
        self.barred: dict[str, Problem] = {}

    def run(self) -> Plan:
        state = self.state
        state.generation = self.generation
        nodes = () if self.generation.deleting else self.generation.graph.nodes
        kept = {} if self.generation.deleting else snapshots.nodes(state)
        nodes = (*nodes, *kept.values())
        moving.follow(state, {node.path: node for node in nodes}, self.generation.graph.moved, self.now)
        self.made = {path for path, live in state.lives.items() if live.current is not None}
        for node in nodes:
            state.want(state.live(node.path), node)
        named = {node.path for node in nodes}
        for live in list(state.lives.values()):
            if live.parent is None and live.path not in named:
                spread.unwant(state, live)
        for node in nodes:
            self._visit(node.path)
        leaving = [live for live in state.lives.values() if live.path not in self.items]
        for live in reversed(leaving):
            self._leave(live)
        number = state.stack.generation
        plan = Plan(state.stack.name, number, tuple(self.items.values()), *self._counted())
        return replace(plan, flavors=self._flavors(), barred=self.barred)

    def _visit(self, path: str) -> None:
        """Plans a path after all it depends on, a composite with its children. Iterative: chains are long."""
        stack = [path]
        entered: set[str] = set()
        while stack:
            one = stack[-1]
            live = self.state.lives.get(one)
            if live is None or live.node is None or one in self.items:
                stack.pop()
                continue
            if one not in entered:
                entered.add(one)
                before = [
                    edge.node
                    for edge in live.deps
                    if edge.node not in self.items and edge.node not in entered
                ]
                if before:
                    stack.extend(reversed(before))
                    continue
            if not self.state.rules.kinds[live.node.kind].composite:
                self.items[one] = self._noted(live, self._leaf(live))
                stack.pop()
                continue
            if live.opened:
                self.items[one] = self._noted(live, self._composite(live))
                stack.pop()
                continue
            live.opened = True
            stack.extend(reversed(self._open(live)))

    def _counted(self) -> tuple[dict[str, Amounts], dict[str, tuple[str, ...]]]:
        """What each path would take of a quota, and what without a bound."""
        specs = {
            path: wanted.spec
            for path, wanted in self.wanted.items()
            if wanted.node.kind in COUNTED and not wanted.node.external_id
        }
        bare = {path: found for path, spec in specs.items() if (found := endless(spec))}
        return {path: amounts(spec) for path, spec in specs.items()}, bare

    def _flavors(self) -> tuple[str, ...]:
        specs = (wanted.spec for wanted in self.wanted.values())
        named = {one.flavor for one in specs if isinstance(one, MachineSpec) and isinstance(one.flavor, str)}
        return tuple(sorted(named - {""}))

    def _noted(self, live: Live, item: Item) -> Item:
        """The item with what the language and the kind say of its node on this provider."""
        node = live.node
        assert node is not None
        notes = notes_of(self.state.rules, node)
        return replace(item, notes=notes) if notes else item

    # ---- composites

    def _open(self, live: Live) -> list[str]:
        """Expands a composite as far as its inputs are known; the paths of its children."""
        node = live.node
        assert node is not None
        try:
            values = evaluate(node.properties, self._lookup, self._input)
            obstacle = self._obstacle(live, values)
            if isinstance(obstacle, Refuse):
                return self._closed(live, obstacle.reason, obstacle.hint)
            expansion = expand_for_plan(self.state, live, values, self.now)
        except SpecError as error:
            return self._closed(live, error.message, error.hint)
        self.waits[live.path] = held_by(obstacle)
        live.expansion = expansion
        if expansion.undecided:
            self.items[live.path] = Item(
                live.path, node.kind, Planned.UNDECIDED, expansion.undecided, certain=False
            )
            self._doubt(live, expansion)
        wanted = {child.path for child in expansion.children}
        for member in expansion.children:
            self.state.want(self.state.live(member.path), member)
        for one in list(live.children.values()):
            if one.path not in wanted and one.path not in self.items:
                spread.unwant(self.state, one)
        return [child.path for child in expansion.children]

    def _obstacle(self, live: Live, values: dict[str, Any]) -> Refuse | str:
        """What is in the way of a composite: its restrictions, or a hook."""
        node, record = live.node, live.current
        assert node is not None
        if record is None:
            return hooks.opening(self.state, node, blank(self.state, live, self.now), "pre-create")
        return hooks.changing(self.state, node, record, contents(self.state, node, values))

    def _closed(self, live: Live, why: str, hint: str) -> list[str]:
        """A composite that is refused, with what is in it as it is."""
        self.items[live.path] = self._refused(live, why, hint)
        self._stays(live)
        return []

    def _doubt(self, live: Live, expansion: Expansion) -> None:
        """Marks what there may be in a composite or not; where nothing at all is known that is all that is in it."""
        for node in expansion.doubtful:
            self.items[node.path] = Item(
                node.path, node.kind, Planned.UNDECIDED, expansion.undecided, certain=False
            )
        for child in live.children.values():
            if child.path in self.items or not expansion.doubtful:
                self._undecide(child, expansion.undecided)

    def _stays(self, live: Live) -> None:
        """What is in a composite that is refused is left as it is."""
        for child in live.children.values():
            if child.current is not None:
                why = "what it is in is refused"
                self.items[child.path] = Item(child.path, child.current.kind, Planned.NOTHING, why)
            self._stays(child)

    def _undecide(self, live: Live, why: str) -> None:
        kind = live.current.kind if live.current else ""
        self.items[live.path] = Item(live.path, kind, Planned.UNDECIDED, why, certain=False)
        for child in live.children.values():
            self._undecide(child, why)

    def _composite(self, live: Live) -> Item:
        node = live.node
        assert node is not None
        below = [self.items[child.path] for child in live.children.values() if child.path in self.items]
        moving = any(item.what is not Planned.NOTHING for item in below) or any(
            child.node is None for child in live.children.values()
        )
        waits = self.waits.get(live.path, "")
        changes = moving or bool(waits)
        what = (
            Planned.CREATE if live.path not in self.made else Planned.UPDATE if changes else Planned.NOTHING
        )
        reason = "" if what is Planned.NOTHING else f"with what is in it{waits}"
        return Item(live.path, node.kind, what, reason, implied=node.implied)

    # ---- leaves

    def _leaf(self, live: Live) -> Item:
        node = live.node
        assert node is not None
        capabilities = self.moves.capabilities(live)
        if capabilities is None or node.kind not in capabilities.kinds:
            return self._refused(
                live,
                f"provider {self.state.rules.provider(node)!r} does not offer {node.kind}",
                "terrace provider list",
            )
        try:
            names: set[Name] = set()
            look = looking(self.state, live, self._lookup, names)
            values = evaluate(want.asked_of(node), look, self._input)
            self.state.imports.settle(live.path, names)
            wanted = want.want(self.state, live, values)
        except SpecError as error:
            where = ".".join(str(part) for part in error.path)
            if error.code in (sizes.BARRED, sizes.UNKNOWN_FLAVOR):
                self._bar(live, error)
            return self._refused(live, f"{where}: {error.message}" if where else error.message, error.hint)
        self.wanted[live.path] = wanted
        record = self._record(live)
        sighting = self.moves.sighting(record, capabilities, self.now)
        if isinstance(sighting, NotSeen) and record.seen is not None:
            # What stands is planned from what was last seen of it; drift since then is the engine's to find.
            sighting = Present(record.seen)
        decision = self.moves.judge(live, wanted, record, sighting, capabilities, self.now)
        if isinstance(decision, Refuse):
            return self._refused(live, decision.reason, decision.hint)
        if isinstance(decision, Act):
            return self._act(live, wanted, record, decision)
        what = (
            Planned.NOTHING if isinstance(decision, Settled) or record.applied is not None else Planned.CREATE
        )
        return Item(
            live.path,
            node.kind,
            what,
            "" if isinstance(decision, Settled) else decision.reason,
            implied=node.implied,
        )

    def _bar(self, live: Live, error: SpecError) -> None:
        """Notes what the project may not have, with the place of the resource that asks for it."""
        node = live.node
        assert node is not None
        place = node.place
        said = f'resource "{live.path}"{":" if error.path else ""} {error.message}'
        self.barred[live.path] = Problem(
            said, place.file, place.line, place.column, code=error.code, hint=error.hint
        )

    def _record(self, live: Live) -> Record:
        """The current record, or the one that would become current again."""
        return live.current or self.moves.recall(live) or self.moves.blank(live, self.now)

    def _act(self, live: Live, wanted: Wanted, record: Record, act: Act) -> Item:
        change: Change = act.change
        first = False
        if act.verb is Verb.CREATE:
            what = Planned.CREATE if record.applied is None else Planned.HEAL
        elif act.verb is Verb.REPLACE or change.effect is Effect.REPLACE:
            what = Planned.REPLACE
            first = self._claims_clash(wanted, record)
        elif act.verb in HEALS:
            what = Planned.HEAL
        elif act.verb is Verb.ADOPT:
            what = Planned.ADOPT
        else:
            what = Planned.UPDATE
        return Item(
            live.path,
            wanted.node.kind,
            what,
            f"{act.reason}{held_by(hooks.before(self.state, wanted, record, act))}",
            certain=change.certain,
            differences=change.differences,
            delete_first=first,
            implied=wanted.node.implied,
            loses=self._loses(record) if what is Planned.REPLACE else "",
        )

    def _claims_clash(self, wanted: Wanted, record: Record) -> bool:
        if holds(wanted.form, Unknown):
            return bool(record.claims)
        return bool(set(self.moves.claims(wanted)) & set(record.claims))

    def _refused(self, live: Live, why: str, hint: str) -> Item:
        node = live.node
        assert node is not None
        return Item(live.path, node.kind, Planned.REFUSED, why, implied=node.implied, hint=hint)

    def _leave(self, live: Live) -> None:
        record = live.current or (next(iter(live.older.values())) if live.older else None)
        if record is None or record.shared:
            return
        copy = (
            " after what it holds was copied"
            if record.keep is Keep.SNAPSHOT and record.kind == "Volume"
            else ""
        )
        stays = record.keep is Keep.RETAIN or self.generation.keeping or record.adopted == "external"
        what = Planned.RETAIN if stays else Planned.DELETE
        if record.applied is None and not record.provider_id:
            return
        self.items[live.path] = Item(
            live.path,
            record.kind,
            what,
            f"no longer wanted{copy}{held_by(hooks.leaving(self.state, live, record, spread.PRE_DELETE))}",
            implied=record.implied,
            loses=self._loses(record) if what is Planned.DELETE and not copy else "",
        )

    def _loses(self, record: Record) -> str:
        """The data that goes when the thing of a record goes, as its provider calls it."""
        capabilities = self.state.rules.capabilities.get(record.provider)
        if capabilities is None or record.kind not in capabilities.data or not record.provider_id:
            return ""
        return f"the data in {record.provider_id}"

    # ---- values

    def _lookup(self, ref: Ref) -> Any:
        live = self.state.lives.get(ref.node)
        if live is None or live.node is None:
            return UNKNOWN
        kind = self.state.rules.kinds[live.node.kind]
        if kind.composite:
            if live.expansion is None or live.expansion.undecided:
                return UNKNOWN
            expression = cast("Composite", kind).attribute(live.expansion, ref.path)
            return evaluate(expression, self._lookup, self._input)
        item = self.items.get(ref.node)
        if item is None or item.what in (Planned.UNDECIDED, Planned.ADOPT) or live.node.external_id:
            standing = item is not None and item.what is Planned.NOTHING
            return lookup(self.state, ref) if standing else UNKNOWN
        if item.what in STILL:
            return lookup(self.state, ref)
        wanted = self.wanted.get(ref.node)
        told = kind.foretell(wanted, ref.path) if wanted is not None else UNKNOWN
        if told is UNKNOWN and item.what is Planned.UPDATE and not ref.path:
            return lookup(self.state, ref)
        return told

    def _input(self, args: tuple[Any, ...]) -> Any:
        path, name, *rest = args
        live = self.state.lives.get(path)
        if live is None or live.values is None:
            return UNKNOWN
        return step_into(live.values, name, tuple(rest))
