"""From a decision to an intent: records in their new state, and the step to run once they are committed."""

from __future__ import annotations

from msgspec.structs import replace

from terrace.engine import quota, retry
from terrace.engine.stack import gate, sizes, spread
from terrace.engine.stack.state import Key, Live, Rules, StackState, next_incarnation
from terrace.engine.turn import adopt, copies, hooks, orders, rollout
from terrace.model.decision import Act, Decision, Effect, Refuse
from terrace.model.graph import Node
from terrace.model.plan import Note, Verdict
from terrace.model.record import Intent, Record, State
from terrace.model.seen import Absent, Names, NotSeen, Owner, Sighting
from terrace.model.step import Step, Verb
from terrace.ports.driver import Capabilities, CreateOnce
from terrace.ports.kind import Wanted

DOING = {
    Verb.CREATE: State.CREATING,
    Verb.UPDATE: State.UPDATING,
    Verb.START: State.HEALING,
    Verb.UNPAUSE: State.HEALING,
    Verb.RESTART: State.UPDATING,
    Verb.STOP: State.UPDATING,
    Verb.ADOPT: State.CREATING,
    Verb.RESTORE: State.UPDATING,
}


NO_PROVIDER = Capabilities(kinds=frozenset())


def due_now(record: Record, now: float) -> Record:
    """The record with its fault's next try set to now."""
    return record if record.fault is None else replace(record, fault=replace(record.fault, retry_at=now))


def notes_of(rules: Rules, node: Node) -> tuple[Note, ...]:
    """What becomes of a node on its provider: the properties that have no effect, and what its kind says."""
    ignored = tuple(Note(Verdict.IGNORED, name, why) for name, why in sorted(node.ignored.items()))
    capabilities = rules.capabilities.get(rules.provider(node), NO_PROVIDER)
    return (*ignored, *rules.kinds[node.kind].notes(node, capabilities))


def _refused(notes: tuple[Note, ...]) -> Refuse | None:
    """What a kind says cannot be at all."""
    for note in notes:
        if note.verdict is Verdict.REFUSED:
            return Refuse(f"{note.what}: {note.words}" if note.what else note.words)
    return None


class Moves:
    """Makes intents for one stack in one turn."""

    def __init__(self, state: StackState) -> None:
        self.state = state
        self.rules = state.rules

    # ---- looking

    def capabilities(self, live: Live) -> Capabilities | None:
        """What the provider of the wanted node declares; None when there is no such provider."""
        node = live.node
        return self.rules.capabilities.get(self.rules.provider(node)) if node else None

    def sighting(self, record: Record, capabilities: Capabilities, now: float) -> Sighting:
        """What counts as seen. A create that can be repeated safely needs no listing to be repeated."""
        found = self.state.sighting(record, now)
        repeatable = (
            isinstance(found, NotSeen)
            and record.intent is not None
            and record.intent.verb is Verb.CREATE
            and capabilities.create_once is not CreateOnce.NONE
            and record.provider not in self.state.silent
        )
        return Absent(now) if repeatable else found

    def judge(
        self,
        live: Live,
        wanted: Wanted,
        record: Record,
        sighting: Sighting,
        capabilities: Capabilities,
        now: float,
    ) -> Decision:
        """The kind's decision; a changed kind or provider is a replacement whatever the kind says. What people ordered
        besides the template comes on top."""
        node = wanted.node
        provider = self.rules.provider(node)
        taken = adopt.judge(self.state, wanted, record, sighting)
        if taken is not None:
            found: Decision = taken
        elif record.applied is not None and (record.kind != node.kind or record.provider != provider):
            what = "type" if record.kind != node.kind else "provider"
            found = Act(Verb.REPLACE, f"its {what} changed")
        elif refused := _refused(self.rules.kinds[node.kind].notes(node, capabilities)):
            return refused
        else:
            found = self.rules.kinds[node.kind].decide(wanted, record, sighting, capabilities, now)
            found = adopt.careful(record, sighting, found)
        return hooks.restrict(node, orders.amend(self.state, node, record, sighting, found))

    # ---- records

    def blank(self, live: Live, now: float, incarnation: int = 0, exits: tuple[float, ...] = ()) -> Record:
        """The record of a life that has none: it waits under its next incarnation number."""
        node = live.node
        assert node is not None
        record = Record(
            path=live.path,
            kind=node.kind,
            uid=live.uid,
            incarnation=incarnation or next_incarnation(live),
            parent=live.parent.path if live.parent else "",
            provider=self.rules.provider(node),
            region=node.region,
            state=State.WAITING,
            since=now,
            keep=node.keep,
            shared=self.rules.kinds[node.kind].shared,
            type_name=node.type_name,
            implied=node.implied,
            exits=exits,
            named=live.named,
            memory=sizes.kept(live),
            **orders.followed(self.state, live.path),
        )
        self.state.put(live, record)
        return record

    def recall(self, live: Live) -> Record | None:
        """The newest incarnation on its way out that can still be had back, current again."""
        for number in sorted(live.older, reverse=True):
            older = live.older[number]
            if not older.deleting and number not in live.urgent:
                record = replace(older, departing=False)
                self.state.put(live, record)
                return record
        return None

    def reclaim(self, live: Live, now: float) -> Record | None:
        """A thing of this path that was retained once and is wanted again; it is listed before anything is decided."""
        state = self.state
        ruling = state.ledger.get(live.path)
        node = live.node
        if ruling is None or node is None or live.older or ruling.kind != node.kind or node.external_id:
            return None
        if ruling.provider != self.rules.provider(node):
            return None
        del state.ledger[live.path]
        state.turn.unrulings.append((ruling.provider, ruling.provider_id))
        state.by_uid.pop(live.uid, None)
        live.uid = ruling.uid
        state.by_uid[live.uid] = live
        record = self.blank(live, now, ruling.incarnation)
        if ruling.what == adopt.RELEASED:
            state.directives.setdefault(live.path, {})[adopt.IMPORT] = ruling.provider_id
        else:
            record = replace(record, provider_id=ruling.provider_id)
            state.put(live, record)
            state.observe.add(ruling.provider)
        state.say("resource.reclaimed", now, live.path, f"{ruling.provider_id} was kept and is wanted again")
        return record

    def retract(self, live: Live, record: Record) -> Record:
        """A create that came to nothing and cannot be tried again now lets go of what it would have held."""
        intent = record.intent
        seen = self.state.sightings.get(record.key)
        if (
            intent is None
            or intent.verb is not Verb.CREATE
            or not isinstance(seen, Absent)
            or seen.as_of < intent.at
        ):
            return record
        made = replace(
            record, intent=None, applied=None, digest="", ties=(), claims=(), provider_id="", seen=None
        )
        self.state.put(live, made)
        return made

    # ---- acting

    def act(
        self, live: Live, wanted: Wanted, record: Record, sighting: Sighting, act: Act, now: float
    ) -> None:
        """Carries a decision into an intent, or says what it waits for."""
        if self._backing_off(live, record, act, now):
            return
        due = hooks.before(self.state, wanted, record, act)
        if due:
            hooks.hold(self.state, live, record, due, now)
            return
        if act.verb not in (Verb.START, Verb.UNPAUSE, Verb.STOP):
            held = rollout.holds_back(self.state, live, now, gentle=self._gentle(wanted, record, act))
            if held:
                self._hold(live, record, held, now)
                return
        if act.verb is Verb.REPLACE:
            self._replace(live, wanted, record, act, now)
        elif act.verb is Verb.CREATE:
            self._create(live, wanted, record, sighting, act, now)
        else:
            self._change(live, wanted, record, act, now)

    def _gentle(self, wanted: Wanted, record: Record, act: Act) -> bool:
        """Whether a thing does its work meanwhile: changed in place, or replaced by one that comes first."""
        if act.verb is Verb.REPLACE:
            return not set(self.claims(wanted)) & set(record.claims)
        return act.verb is Verb.UPDATE

    def resume(self, record: Record, now: float) -> bool:
        """Continues a step that is pending at the provider; False when there is none."""
        held = self.state.held.get(record.key)
        if held is None:
            return False
        when, provider, step = held
        if now >= when:
            del self.state.held[record.key]
            self.submit(record.key, provider, step)
        else:
            # A path keeps only its nearest time to look, and another incarnation of it may have had that one.
            self.state.agenda.look_at(when, record.path)
        return True

    def submit(self, key: Key, provider: str, step: Step) -> None:
        """Has a step run after this turn's commit."""
        self.state.running.add(key)
        self.state.turn.steps.append((provider, step))
        if self.rules.capabilities[provider].synced:
            self.state.turn.synced = True

    def _backing_off(self, live: Live, record: Record, act: Act, now: float) -> bool:
        fault = record.fault
        if fault is not None and fault.retry_at > now:
            self.state.agenda.look_at(fault.retry_at, live.path)
            self._hold(live, record, fault.message, now, State.FAILING)
            return True
        if act.verb is Verb.START and record.exits:
            begin = record.exits[-1] + retry.loop_delay(len(record.exits))
            if begin > now:
                self.state.agenda.look_at(begin, live.path)
                words = f"; its last lines: {live.words}" if live.words else ""
                why = f"crash-looping: ended {len(record.exits)} times in a row; {act.reason}{words}"
                self._hold(live, record, why, now, State.FAILING)
                return True
        return False

    def _hold(self, live: Live, record: Record, why: str, now: float, to: State | None = None) -> None:
        live.settled = False
        self.state.unsettled.add(live.path)
        if live.parent is not None:
            spread.settle_parent(self.state, live)
        waiting = State.WAITING if record.applied is None else record.state
        self.state.set_state(live, record, to or waiting, why, now)

    def _create(
        self, live: Live, wanted: Wanted, record: Record, sighting: Sighting, act: Act, now: float
    ) -> None:
        if record.applied is None and live.older and self._take_back(live, wanted, record, now):
            return
        again = record.intent is not None and record.intent.verb is Verb.CREATE
        if again and not self._may_repeat(live, record, sighting, now):
            return
        if record.applied is not None and not again and not self._incomplete(record):
            record = self._succeed(live, record, act, now)
        self._begin_create(live, wanted, record, act, now)

    @staticmethod
    def _incomplete(record: Record) -> bool:
        return record.seen is not None and not record.seen.complete and bool(record.provider_id)

    def _may_repeat(self, live: Live, record: Record, sighting: Sighting, now: float) -> bool:
        """A provider that cannot tell one create from two gets a second only when the first cannot come any more."""
        capabilities = self.rules.capabilities[record.provider]
        if (
            capabilities.create_once is not CreateOnce.NONE
            or record.intent is None
            or not isinstance(sighting, Absent)
        ):
            return True
        safe = record.intent.at + self.rules.lease + capabilities.timeout + capabilities.lag
        if sighting.as_of >= safe:
            return True
        self._hold(live, record, "waiting to be sure that the first create made nothing", now)
        self.state.observe.add(record.provider)
        self.state.agenda.look_at(max(safe, now + 1.0), live.path)
        return False

    def _succeed(self, live: Live, record: Record, act: Act, now: float) -> Record:
        """The thing is gone: the next incarnation takes its place."""
        state = self.state
        state.say("resource.vanished", now, live.path, act.reason)
        number, memory = next_incarnation(live), sizes.kept(live)
        state.drop(live, record)
        fresh = replace(self.blank(live, now, number, record.exits), memory=memory)
        state.put(live, fresh)
        return fresh

    def _begin_create(self, live: Live, wanted: Wanted, record: Record, act: Act, now: float) -> None:
        claims = self.claims(wanted)
        held = self._claimed(live, record, claims, now) or quota.held(self.state, live, wanted, now)
        if held:
            self._hold(live, record, held, now)
            return
        self._intend(live, wanted, record, act, claims, now)

    def claims(self, wanted: Wanted) -> tuple[str, ...]:
        """What a wanted spec holds exclusively, with the provider's name before each."""
        node = wanted.node
        if node.external_id:
            return ()
        provider = self.rules.provider(node)
        kind = self.rules.kinds[node.kind]
        found = kind.claims(wanted.spec, self.rules.capabilities[provider])
        return tuple(sorted(f"{provider}:{claim}" for claim in found)) if found else ()

    def _claimed(self, live: Live, record: Record, claims: tuple[str, ...], now: float) -> str:
        """Who else in this stack holds what this record wants, in words; "" for nobody."""
        state = self.state
        for claim in claims:
            for key in state.holders.get(claim, ()):
                if key == record.key:
                    continue
                found = state.record(key)
                if found is None:
                    continue
                holder, other = found
                state.claim_waiters.setdefault(claim, set()).add(live.path)
                crossed = holder.current is not None and holder.current.intent is None and not holder.ready
                if other.departing and (holder is live or crossed) and other.incarnation not in holder.urgent:
                    # Its successor waits for us, or is us: the old one goes first.
                    holder.urgent.add(other.incarnation)
                    state.agenda.touch(holder.path)
                return f"waiting for {holder.path} to let go of {claim.partition(':')[2]}"
        return ""

    def _crossed(self, live: Live, claims: tuple[str, ...]) -> bool:
        """Whether those who hold what we want wait, over whatever corners, for us to let go of what we hold."""
        state = self.state
        reached: set[str] = set()
        wanted = list(claims)
        while wanted:
            for key in state.holders.get(wanted.pop(), ()):
                found = state.record(key)
                path = found[0].path if found else live.path
                if found is None or path in reached:
                    continue
                reached.add(path)
                if path != live.path:
                    wanted += [claim for claim, waiters in state.claim_waiters.items() if path in waiters]
        return live.path in reached

    def _intend(
        self, live: Live, wanted: Wanted, record: Record, act: Act, claims: tuple[str, ...], now: float
    ) -> None:
        state = self.state
        node = wanted.node
        handle = record.intent.handle if record.intent and record.intent.verb is act.verb else ""
        changes: dict[str, object] = {
            "intent": Intent(
                verb=act.verb,
                at=now,
                digest=wanted.digest,
                fields=act.change.fields,
                handle=handle,
                epoch=state.epoch,
                count=orders.count(state, live.path, orders.RESTART),
            ),
            "claims": claims,
            "hook": "",
            "post": hooks.after(state, node, record, act, wanted.digest),
        }
        self.state.hooked.discard(live.path)
        if act.verb is Verb.CREATE:
            changes |= {
                "applied": wanted.form,
                "digest": wanted.digest,
                "ties": gate.ties(state, live),
                "kind": node.kind,
                "provider": self.rules.provider(node),
                "region": node.region,
                "keep": node.keep,
                "type_name": node.type_name,
                "ready": 0,
                "stopped": False,
                **orders.followed(state, live.path),
            }
            if live.ready:
                spread.unready(state, live)
        live.settled = False
        state.unsettled.add(live.path)
        if live.parent is not None:
            spread.settle_parent(state, live)
        made = state.set_state(live, record, DOING[act.verb], act.reason, now, **changes)
        state.doing[made.key] = (wanted.form, wanted.digest, gate.ties(state, live), node.keep)
        self.submit(made.key, made.provider, self._step(made, node, act, wanted, handle))

    def _step(self, record: Record, node: Node, act: Act, wanted: Wanted, handle: str) -> Step:
        stack = self.state.stack
        owner = Owner(self.state.installation, record.uid, record.incarnation, record.digest)
        return Step(
            verb=act.verb,
            kind=node.kind,
            owner=owner,
            names=Names(stack.project, stack.name, record.named or node.path),
            spec=wanted.spec,
            provider_id=adopt.target(self.state, wanted) if act.verb is Verb.ADOPT else record.provider_id,
            fields=act.change.fields,
            handle=handle,
            attributes=record.seen.attributes if record.seen else {},
            source=copies.source(self.state, record.path) if act.verb is Verb.RESTORE else "",
        )

    def _change(self, live: Live, wanted: Wanted, record: Record, act: Act, now: float) -> None:
        claims = record.claims if act.verb is not Verb.UPDATE else self.claims(wanted)
        held = self._claimed(live, record, claims, now) if claims != record.claims else ""
        held = held or quota.grown(self.state, live, wanted, now)
        if held:
            self._hold(live, record, held, now)
            return
        self._intend(live, wanted, record, act, claims, now)

    # ---- replacing

    def _replace(self, live: Live, wanted: Wanted, record: Record, act: Act, now: float) -> None:
        state = self.state
        if self._take_back(live, wanted, record, now):
            return
        claims = self.claims(wanted)
        never_made = (
            record.intent is not None and record.intent.verb is Verb.CREATE and not record.provider_id
        )
        if never_made and not isinstance(self.state.sighting(record, now), NotSeen):
            # Nothing came of the create that is given up, so there is nothing to keep until the next one stands.
            live.urgent.add(record.incarnation)
        if set(claims) & set(record.claims) or record.incarnation in live.urgent:
            live.urgent.add(record.incarnation)
            state.set_state(live, record, State.DEPARTING, f"makes room: {act.reason}", now, departing=True)
            spread.unready(state, live)
            state.agenda.touch(live.path)
            return
        held = self._claimed(live, record, claims, now)
        if held and self._crossed(live, claims):
            live.urgent.add(record.incarnation)
            state.agenda.touch(live.path)
            return
        if held:
            self._hold(live, record, held, now)
            return
        state.set_state(live, record, State.DEPARTING, f"being replaced: {act.reason}", now, departing=True)
        spread.unready(state, live)
        fresh = self.blank(live, now)
        verb = Verb.ADOPT if wanted.node.external_id else Verb.CREATE
        self._intend(live, wanted, fresh, Act(verb, act.reason, act.change), claims, now)

    def _take_back(self, live: Live, wanted: Wanted, record: Record, now: float) -> bool:
        """An older incarnation without a delete intent that fits what is wanted becomes current again."""
        state = self.state
        for older in live.older.values():
            if (
                older.deleting
                or older.applied is None
                or older.kind != wanted.node.kind
                or older.intent is not None
                or older.adopted == adopt.EXTERNAL
                or wanted.node.external_id
                or older.taints < orders.count(state, live.path, orders.TAINT)
            ):
                continue
            if older.provider != self.rules.provider(wanted.node) or not older.provider_id:
                continue
            kind = self.rules.kinds[older.kind]
            if (
                kind.changes(
                    wanted, older.applied, older.seen, self.rules.capabilities[older.provider]
                ).effect
                is not Effect.REPLACE
            ):
                state.set_state(live, record, State.DEPARTING, "no longer wanted", now, departing=True)
                state.set_state(
                    live,
                    older,
                    State.READY if older.ready else State.WAITING,
                    "wanted again",
                    now,
                    departing=False,
                )
                live.urgent.discard(older.incarnation)
                spread.unready(state, live)
                state.agenda.touch(live.path)
                return True
        return False
