"""One stack's loop: take in what came, decide, commit, start what is to run, sleep until something wakes it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from terrace.engine import quota
from terrace.engine.allowance import Allowance
from terrace.engine.stack import read, sizes, summary
from terrace.engine.stack.state import Rules, StackState, Turn, suspended
from terrace.engine.turn import absorb, adopt, advance, restores
from terrace.errors import LeaseLostError, TerraceError
from terrace.model.event import Event
from terrace.model.graph import Name, Use
from terrace.model.seen import NotSeen
from terrace.model.spec.quota import Amounts
from terrace.model.stack import Generation, Lease, OnFailure, Phase, Stack
from terrace.model.step import Receipt, Step
from terrace.ports.clock import Clock, Entropy
from terrace.ports.driver import Driver
from terrace.ports.secrets import Secrets
from terrace.ports.store import Commit
from terrace.ports.telemetry import LEASES, Telemetry
from terrace.runtime.bell import Bell
from terrace.runtime.commits import Committer
from terrace.runtime.leases import Holding, Leases
from terrace.runtime.patience import PatientStore
from terrace.runtime.pool import Pool
from terrace.runtime.probing import Prober
from terrace.runtime.scrub import Scrubber


@dataclass(slots=True)
class Surroundings:
    """What the workers of one engine share."""

    store: PatientStore
    committer: Committer
    rules: Rules
    drivers: Mapping[str, Driver]
    pools: Mapping[str, Pool]
    clock: Clock
    entropy: Entropy
    secrets: Secrets
    telemetry: Telemetry
    bell: Bell
    installation: str
    leases: Leases
    lease: float
    look: Callable[[str], None]
    wake: Callable[[str], None]


class StackWorker:
    """The one writer of a stack, while it holds the lease."""

    def __init__(self, around: Surroundings, stack: Stack, lease: Lease | None = None) -> None:
        """`lease`: the one that we have on it already; without it, it is waited for."""
        self._around = around
        self._holding = Holding(around.leases, f"stack:{stack.id}", lease)
        self._since = around.clock.now() if lease is not None else 0.0
        self._wake = asyncio.Event()
        self._inbox: list[Callable[[float], None]] = []
        self._reread = True
        self._fenced: list[Step] = []
        self._scrub = Scrubber(())
        self._prober = Prober(around.drivers, around.clock, self._probed, self._last_words)
        self._rollback: Generation | None = None
        self._told: Amounts | None = None
        self._asking: list[asyncio.Event] = []
        self.state = StackState(stack, around.rules, around.entropy.uid, around.installation)
        self.read = 0
        """Up to which mark of its stack what is desired was taken in and worked on."""
        self._mark = 0
        self.finished = False
        self.leaving = False

    # ---- what others call

    @property
    def lease(self) -> Lease | None:
        """The lease it works under, while it is ours."""
        return self._holding.lease

    def wake(self) -> None:
        """What is desired may have changed."""
        self._reread = True
        self._wake.set()

    async def heed(self, patience: float) -> bool:
        """Wakes it, and comes back once it has taken in what is desired, or after `patience` seconds: whether it
        has."""
        done = asyncio.Event()
        self._asking.append(done)
        self.wake()
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await done.wait()
        return done.is_set()

    def receipt(self, provider: str, step: Step, receipt: Receipt) -> None:
        """A step of this stack came back."""
        receipt = self._scrub.receipt(receipt)
        if step.kind in self._around.rules.capabilities[provider].made:
            self.state.turn.synced = True
        self._take(lambda now: absorb.receive(self.state, provider, step, receipt, now))

    def failure(self, step: Step, error: TerraceError) -> None:
        """A step of this stack failed."""
        if isinstance(error, LeaseLostError):
            self._fenced.append(step)
            self._wake.set()
            return
        error = self._scrub.error(error)
        jitter = self._around.entropy.random()
        self._take(lambda now: absorb.fail(self.state, step, error, now, jitter))

    def observed(self, provider: str, listing: absorb.Listing) -> None:
        """A complete listing of a provider. One that began before the stack was ours says nothing: others may have
        worked on it since, by their own clocks."""
        if listing.started >= self._since:
            self._take(lambda now: absorb.observe(self.state, provider, listing, now))

    def accepted(self, provider: str) -> None:
        """A person has said that what the database wants is right."""
        self._take(lambda now: restores.accept(self.state, provider, now))

    def silent(self, provider: str, why: NotSeen) -> None:
        """A provider cannot be listed."""
        self._take(lambda now: absorb.silence(self.state, provider, why))

    def part(self) -> None:
        """Another engine is to go on with it: nothing more is begun, what runs comes to its end and is written."""
        self.leaving = True
        for pool in self._around.pools.values():
            for step in pool.withdraw(self):
                self.state.running.discard((step.owner.uid, step.owner.incarnation))
        self._wake.set()

    def lost(self) -> None:
        """The lease has gone to another engine."""
        if self._holding.lease is not None or not self.finished:
            self._around.telemetry.count(LEASES, "lost")
        self._holding.lease = None
        self.finished = True
        self._wake.set()

    def _take(self, entry: Callable[[float], None]) -> None:
        self._inbox.append(entry)
        self._wake.set()

    def _probed(self, path: str, healthy: bool | None, why: str) -> None:
        self._take(lambda now: absorb.probed(self.state, path, healthy, self._scrub.text(why)))

    def _last_words(self, path: str, code: int | None, text: str) -> None:
        self._take(lambda now: absorb.last_words(self.state, path, code, self._scrub.text(text), now))

    # ---- the loop

    async def run(self) -> None:
        """Works until the stack is gone, the lease is lost, or the task is cancelled."""
        while self._holding.lease is None and not await self._holding.take():
            await self._around.clock.sleep(self._around.lease / 4)
        self.state.epoch = self._holding.epoch
        self._around.telemetry.count(LEASES, "taken")
        await self._load()
        try:
            while not self.finished:
                await self._turn()
                if self.leaving and not self.state.running and not self._inbox:
                    self.finished = True
                    break
                await self._sleep()
        except LeaseLostError:
            self.lost()
        finally:
            self._prober.close()

    async def stop(self) -> None:
        """Gives the lease back so that another engine can go on at once."""
        self.finished = True
        self._wake.set()
        self._prober.close()
        if self._holding.lease is not None:
            self._around.telemetry.count(LEASES, "given back")
        await self._holding.release()

    async def _load(self) -> None:
        records = await self._around.store.records(self.state.stack.id)
        self.state.restore(records)
        self.state.imports.restore(await self._around.store.uses(self.state.stack.id))
        self.state.exports.known = await self._around.store.exports(self.state.stack.id)
        for name in self._around.drivers:
            adopt.remember(self.state, name, await self._around.store.rulings(name))

    async def _read_desired(self) -> None:
        before = self.state.stack
        found = await self._around.store.desired(before.project, before.id)
        if found is None:
            self.finished = True
            return
        now = self._around.clock.now()
        self._mark, stack = found.mark, found.stack
        self.state.stack = stack
        advance.direct(self.state, found.directives)
        known = self.state.generation
        if known is None or stack.generation != known.number:
            generation = await self._around.store.generation(stack.id, stack.generation)
            if generation is not None:
                self._scrub = Scrubber.of(generation)
                advance.desire(self.state, generation, now)
        elif stack.retries != before.retries:
            advance.retry(self.state, now)
        if stack.forget and not before.forget:
            for path in self.state.lives:
                self.state.agenda.touch(path)
        await self._look_up(list(self.state.imports.readers))
        self._allowed(found.granted)
        sizes.offered(self.state, found.offer)

    def _allowed(self, granted: tuple[Amounts, Amounts] | None) -> None:
        """Learns what the stack may hold of its project's quota; what it was refused is asked for again."""
        self.state.allowance = Allowance(*granted) if granted is not None else None
        self._told = None

    async def _ask(self, allowance: Allowance) -> None:
        """Asks for what the stack needs more of its project's quota, or else for what the first that waits needs; those
        who wait look again, or say what is short."""
        asked, least, waiting = allowance.asked, allowance.least, allowance.waiting
        allowance.asked, allowance.least = {}, {}
        short = await self._around.store.reserve(self.state.stack.id, asked)
        if short and least != asked:
            short = await self._around.store.reserve(self.state.stack.id, least)
        if not short:
            self._allowed(await self._around.store.granted(self.state.stack.project, self.state.stack.id))
        elif short == allowance.short:
            return
        else:
            allowance.short = short

        def look_again(now: float) -> None:
            for path in waiting:
                self.state.agenda.touch(path)

        self._take(look_again)

    def _usage(self) -> Amounts | None:
        """What the stack takes of its project's quota, when that is not what was written of it."""
        generation, allowance = self.state.generation, self.state.allowance
        found = quota.taken(self.state)
        known = (
            self._told or (generation is not None and generation.usage) or (allowance and allowance.granted)
        )
        if found == self._told or not (found or known):
            return None
        self._told = found
        if allowance is not None:
            allowance.granted = found
        return found

    async def _look_up(self, names: Sequence[Name]) -> None:
        """Reads what other stacks export under `names`; the next turn takes it in."""
        if names:
            found = await self._around.store.imports(self.state.stack.id, names)
            self._scrub = self._scrub.also([one.value for one in found])
            self._take(lambda now: advance.arrive(self.state, found, now))

    async def _turn(self) -> None:
        self._wake.clear()
        asking, self._asking = self._asking, []
        await self._work()
        self.read = self._mark
        for done in asking:
            done.set()

    async def _work(self) -> None:
        if self._reread and not self.leaving:
            self._reread = False
            await self._read_desired()
            if self.finished:
                return
        if self._fenced:
            await self._submit_again()
        now = self._around.clock.now()
        inbox, self._inbox = self._inbox, []
        for entry in inbox:
            entry(now)
        turn = advance.rest(self.state) if self.leaving else advance.advance(self.state, now)
        head = self.state.stack if self.leaving else summary.summarise(self.state, now)
        commit = self._commit(turn, head, now)
        if commit is not None:
            if not await self._around.committer.commit(commit):
                raise LeaseLostError(f"the lease on {self.state.stack.name} went to another engine")
            await self._after(commit, head)
        for provider, step in turn.steps:
            if self.leaving:  # it was told so while the intents were written
                self.state.running.discard((step.owner.uid, step.owner.incarnation))
                continue
            self._around.pools[provider].submit(step, self._holding, self)
        if self.state.imports.asked:
            await self._look_up(list(self.state.imports.asked))
        if self.state.allowance is not None and self.state.allowance.asked:
            await self._ask(self.state.allowance)
        for provider in self.state.observe:
            self._around.look(provider)
        self.state.observe.clear()
        self._prober.follow(self.state, turn)

    async def _submit_again(self) -> None:
        """Steps that came too near the end of the lease (a process that was held up for seconds) run after all, if
        the lease is still to be had."""
        steps, self._fenced = self._fenced, []
        if self.leaving:
            for step in steps:
                self.state.running.discard((step.owner.uid, step.owner.incarnation))
            return
        if not await self._holding.take():
            raise LeaseLostError(f"the lease on {self.state.stack.name} went to another engine")
        for step in steps:
            found = self.state.record((step.owner.uid, step.owner.incarnation))
            if found is not None:
                provider = found[1].provider
                self._holding.check(self._around.rules.capabilities[provider].timeout)
                self._around.pools[provider].submit(step, self._holding, self)

    def _commit(self, turn: Turn, head: Stack, now: float) -> Commit | None:
        before = self.state.stack
        generation = self.state.generation
        if head.phase is not before.phase and generation is not None:
            if head.phase in summary.STANDING and before.phase in summary.STANDING:
                turn.events.append(self._event(head, f"stack.{head.phase}", "", now))
            elif head.phase is Phase.SETTLED:
                turn.events.append(
                    self._event(head, "stack.settled", f"generation {generation.number} is settled", now)
                )
            elif head.phase is not Phase.SETTLING or before.phase in summary.STANDING:
                turn.events.append(self._event(head, f"stack.{head.phase}", head.why, now))
        failed = self._failed(head, now)
        if failed:
            turn.events.append(self._event(head, "stack.failed", failed[1], now))
        standing = head.phase in summary.STANDING
        newly = head.settled != before.settled or (standing and before.phase not in summary.STANDING)
        exports, uses = self._crossings(turn)
        same = replace(head, updated=before.updated, since=before.since) == before
        if not turn and same and not failed and exports is None and uses is None:
            return None
        self.state.stack = head
        return Commit(
            stack=head.id,
            epoch=self.state.epoch,
            upserts=tuple(turn.upserts.values()),
            removals=tuple(turn.removals),
            events=tuple(turn.events),
            rulings=tuple(turn.rulings),
            unrulings=tuple(turn.unrulings),
            heeded=tuple(turn.heeded),
            head=head,
            settled=head.settled if newly and standing else 0,
            settled_at=now,
            failed=failed,
            generation=self._rollback,
            gone=head.phase is Phase.GONE,
            synced=turn.synced or bool(failed),
            exports=exports,
            uses=uses,
            usage=self._usage() if newly and standing else None,
        )

    def _crossings(self, turn: Turn) -> tuple[dict[str, Any] | None, tuple[Use, ...] | None]:
        """What the stack exports and what it uses of others, each None when it is as it was written before."""
        for record in turn.upserts.values():
            self.state.exports.touch(record.path)
        imports = self.state.imports
        uses = imports.uses() if imports.changed else None
        imports.changed = False
        return read.exported(self.state), uses

    def _event(self, head: Stack, kind: str, message: str, now: float) -> Event:
        return Event(
            kind=kind,
            at=now,
            stack=head.id,
            message=message,
            state=head.phase,
            generation=head.generation,
            project=head.project,
        )

    def _failed(self, head: Stack, now: float) -> tuple[int, str] | None:
        """Whether the generation fails in this turn: at its first permanent error, or when its time is up."""
        generation = self.state.generation
        if (
            generation is None
            or generation.failed
            or generation.settled
            or suspended(self.state)
            or head.phase in (Phase.SETTLED, Phase.GONE)
        ):
            return None
        why = advance.permanent(self.state) or (
            f"not settled within {generation.timeout:g} s: {head.why}"
            if now >= generation.created + generation.timeout
            else ""
        )
        if not why:
            return None
        self.state.generation = replace(generation, failed=why)
        return generation.number, why

    async def _after(self, commit: Commit, head: Stack) -> None:
        generation = self.state.generation
        if commit.generation is not None:
            self._rollback = None
            self.wake()
        if commit.gone:
            self.finished = True
        if commit.exports is not None or commit.gone:
            for reader in await self._around.store.readers(head.project, head.name):
                self._around.wake(reader)
        if commit.settled and generation is not None:
            self.state.generation = replace(generation, settled=commit.settled_at)
        if commit.failed and generation is not None and generation.on_failure is OnFailure.ROLLBACK:
            await self._roll_back(generation, head)

    async def _roll_back(self, failed: Generation, head: Stack) -> None:
        """The rule the owner chose: the content of the last settled generation is wanted again."""
        now = self._around.clock.now()
        if failed.restores or failed.deleting:
            return
        good = await self._around.store.generation(head.id, head.settled) if head.settled else None
        if good is None:
            self.state.say(
                "stack.kept", now, message="there is no settled generation to go back to; what exists is kept"
            )
        else:
            why = f"rollback to {good.number}: generation {failed.number} failed"
            self.state.say("stack.rollback", now, message=why)
            self._rollback = replace(
                good,
                number=failed.number + 1,
                created=now,
                why=why,
                who="terrace",
                settled=0.0,
                failed="",
                restores=good.number,
            )
        self._wake.set()

    async def _sleep(self) -> None:
        if self.finished or self._inbox or self._fenced or (self._reread and not self.leaving):
            return
        if self.leaving:
            await self._wake.wait()
            return
        now = self._around.clock.now()
        due = self.state.agenda.next_look()
        generation = self.state.generation
        if generation and not generation.settled and not generation.failed and not suspended(self.state):
            end = generation.created + generation.timeout
            due = end if due is None else min(due, end)
        if due is None:
            await self._wake.wait()
        elif due > now:
            with suppress(TimeoutError):
                async with asyncio.timeout(due - now):
                    await self._wake.wait()
