"""The simulated provider's side: things, what becomes of them in time, and a diary by which tests judge
Terrace."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec.structs import replace

from terrace.drivers.sim.faults import ON_DELETE, Faults, Point, Trouble
from terrace.drivers.sim.links import Links
from terrace.drivers.sim.thing import Thing, shown
from terrace.drivers.sim.weather import Weather
from terrace.errors import PermanentError, TransientError
from terrace.model.seen import Names, Owner, Seen
from terrace.ports.driver import CreateOnce

Token = tuple[str, str, int]
NAMELESS = Names()


class Entry(msgspec.Struct, frozen=True):
    """A line of the diary. `what` is create, update or delete (by a step of Terrace), gone, back or outside
    (not by Terrace). `owner` is the label on the thing, `by` the owner that the step named; `epoch` that of
    the lease it was done under, 0 when the fence does not say; `place` is stack and path as the names beside
    the label say."""

    at: float
    what: str
    kind: str
    provider_id: str
    owner: Owner | None
    by: Owner | None = None
    epoch: int = 0
    place: str = ""


class NameTakenError(Exception):
    """Something with the same name is there; only at a provider that tells creates apart by name."""


def token_of(owner: Owner) -> Token:
    """What identifies an incarnation, its digest left out."""
    return (owner.installation, owner.uid, owner.incarnation)


class World:
    """All things of one simulated provider. It outlives the processes of Terrace and may be shared by several
    drivers.

    `violations` are sentences about what Terrace must never do and did; `duplicates` second live things for
    one owner (possible only with `create_once` none); `late` are things that were made by a create that had
    been given up; `adopted` are provider ids that Terrace may touch although no label says so; `listeners`
    are called with the provider id of what changed without Terrace. Times are epoch seconds, given by the
    caller: a world reads no clock."""

    def __init__(self, seed: int | str = 0, create_once: CreateOnce = CreateOnce.BY_NAME) -> None:
        self.create_once = create_once
        self.weather = Weather(seed)
        self.hits = self.weather.hits
        self.things: dict[str, Thing] = {}
        self.diary: list[Entry] = []
        self.requests: Counter[str] = Counter()
        self.violations: list[str] = []
        self.duplicates: list[Entry] = []
        self.adopted: set[str] = set()
        self.late: set[str] = set()
        self.listeners: list[Callable[[str], None]] = []
        self.links = Links(self.things)
        self._fading: list[tuple[float, Seen]] = []
        self._tokens: dict[Token, str] = {}
        self._numbers: Counter[str] = Counter()
        self._live: Counter[str] = Counter()

    @property
    def faults(self) -> Faults:
        """What may go wrong from now on."""
        return self.weather.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self.weather.faults = faults

    def find(self, owner: Owner) -> Thing | None:
        """The live thing of an owner (the oldest, should there be several)."""
        found = self._tokens.get(token_of(owner))
        return None if found is None else self.things[found]

    def create(
        self, kind: str, owner: Owner | None, spec: Any, now: float, epoch: int = 0, names: Names = NAMELESS
    ) -> Thing:
        """Makes a thing, or gives the one that is there already where `create_once` is by_token.

        NameTakenError where it is by_name; PermanentError: the quota; TransientError: what it stands on is
        missing or taken."""
        token = None if owner is None else token_of(owner)
        if token in self._tokens and self.create_once is not CreateOnce.NONE:
            if self.create_once is CreateOnce.BY_NAME:
                raise NameTakenError
            return self.things[self._tokens[token]]
        self._check_quota(kind)
        self.links.check(kind, spec)
        copied = self.links.content(kind, spec)
        self._numbers[kind] += 1
        thing = Thing(kind, f"{kind.lower()}-{self._numbers[kind]:06d}", owner, spec, now)
        thing.content, thing.project = copied, names.project
        try:
            self.links.tie(thing)
        except TransientError:
            self.links.untie(thing)
            raise
        work = self.faults.work.get(kind, 0.0)
        if work:
            thing.busy = True
            self.weather.later(now + work, lambda at: self.change(thing, at, busy=False))
        self._enter(thing)
        place = f"{names.stack}:{names.path}"
        entry = Entry(now, "create", kind, thing.provider_id, owner, owner, epoch, place)
        self.diary.append(entry)
        if token is not None and self._tokens[token] != thing.provider_id:
            self.duplicates.append(entry)
        thing.show()
        if not self.weather.calm:
            self._blur(thing, None, now)
        return thing

    def change(self, thing: Thing, now: float, **state: Any) -> Seen:
        """Sets fields of the thing and shows it anew."""
        before = thing.seen
        for name, value in state.items():
            setattr(thing, name, value)
        thing.show()
        if not self.weather.calm:
            self._blur(thing, before, now)
        return thing.seen

    def update(self, thing: Thing, spec: Any, fields: tuple[str, ...], by: Owner, now: float) -> Seen:
        """Makes `fields` (all, if none is named) as in `spec`. TransientError: what it needs is missing or
        taken."""
        self._judge(thing, by, "updated")
        self.links.check(thing.kind, spec, thing.provider_id)
        self.diary.append(Entry(now, "update", thing.kind, thing.provider_id, thing.owner, by))
        wanted = shown(thing.kind, spec)
        names = fields or tuple(wanted)
        properties = {**thing.properties, **{name: wanted[name] for name in names if name in wanted}}
        self.links.untie(thing)
        thing.spec = spec
        self.links.tie(thing)
        if thing.kind == "Network":
            self._part(thing, now)
        return self.change(thing, now, properties=properties)

    def _part(self, network: Thing, now: float) -> None:
        """Takes machines off a network that is not shared with their project any more."""
        for user in self.links.users(network):
            if user.kind != "Machine" or user.project in (network.project, *network.spec.shared_with):
                continue
            rest = tuple(nic for nic in user.spec.networks if nic.network != network.provider_id)
            self.links.untie(user)
            user.spec = replace(user.spec, networks=rest)
            self.links.tie(user)
            fresh = {**user.properties, "networks": shown("Machine", user.spec)["networks"]}
            self.change(user, now, properties=fresh)
            self.hint(user.provider_id)

    def delete(self, provider_id: str, by: Owner, now: float, epoch: int = 0) -> None:
        """Deletes it, if it is there; TransientError while something stands on it. What "deleted" means is up
        to the weather."""
        thing = self.things.get(provider_id)
        if thing is None or thing.ghost_until > now:
            return
        self._judge(thing, by, "deleted")
        if thing.kind != "Machine":
            users = [user.provider_id for user in self.links.users(thing)]
            if users:
                raise TransientError(f"{provider_id} is in use by {users[0]}", code="in-use")
        rule = self.weather.strike("delete", thing.kind, Point.BEFORE, ON_DELETE)
        self.diary.append(Entry(now, "delete", thing.kind, provider_id, thing.owner, by, epoch))
        match rule.trouble if rule else None:
            case Trouble.STUCK:
                return
            case Trouble.GHOST:
                thing.ghost_until = now + rule.seconds if rule else 0.0
                self.weather.later(thing.ghost_until, lambda at: self._leave(thing, at))
            case Trouble.ZOMBIE:
                self._leave(thing, now)
                self.weather.later(now + (rule.seconds if rule else 0.0), lambda at: self._rise(thing, at))
            case _:
                self._leave(thing, now)

    def vanish(self, thing: Thing, now: float) -> None:
        """Somebody else took it away."""
        self.diary.append(Entry(now, "gone", thing.kind, thing.provider_id, thing.owner))
        self._leave(thing, now)
        self.hint(thing.provider_id)

    def hint(self, provider_id: str) -> None:
        """Tells those who listen, unless the hint gets lost."""
        for listener in self.listeners:
            if not self.faults.deaf or self.weather.random.random() >= self.faults.deaf:
                listener(provider_id)

    def listed(self, installation: str, adopted: frozenset[str], now: float) -> list[Seen]:
        """What a complete listing shows: all with the installation's label, and what was adopted."""
        if self.weather.calm:
            shows = [thing.seen for thing in self.things.values()]
        else:
            self._fading = [faded for faded in self._fading if faded[0] > now]
            shows = [seen for thing in self.things.values() if (seen := thing.listed(now)) is not None]
            shows += [seen for _, seen in self._fading]
        found = []
        for seen in shows:
            owner = seen.owner
            if (owner is not None and owner.installation == installation) or seen.provider_id in adopted:
                found.append(seen)
        return found

    def _check_quota(self, kind: str) -> None:
        limit = self.faults.quota.get(kind)
        if limit is not None and self._live[kind] >= limit:
            self.weather.count("create", kind, Trouble.QUOTA, Point.BEFORE)
            raise PermanentError(f"quota exceeded: {limit} of {kind}", code="quota-exceeded")

    def _judge(self, thing: Thing, by: Owner, verb: str) -> None:
        if thing.owner is not None and token_of(thing.owner) == token_of(by):
            return
        if thing.provider_id not in self.adopted:
            self.violations.append(f"{thing.provider_id} of {thing.owner} was {verb} by a step of {by}")

    def _enter(self, thing: Thing) -> None:
        self.things[thing.provider_id] = thing
        self._live[thing.kind] += 1
        if thing.owner is not None:
            self._tokens.setdefault(token_of(thing.owner), thing.provider_id)

    def _leave(self, thing: Thing, now: float) -> None:
        """Takes it out, with the attachments that only exist on it."""
        if self.things.pop(thing.provider_id, None) is None:
            return
        self._live[thing.kind] -= 1
        self.links.untie(thing)
        if thing.owner is not None and self._tokens.get(token_of(thing.owner)) == thing.provider_id:
            del self._tokens[token_of(thing.owner)]
            for other in self.things.values() if self.duplicates else ():
                if other.owner is not None and token_of(other.owner) == token_of(thing.owner):
                    self._tokens.setdefault(token_of(other.owner), other.provider_id)
        if not self.weather.calm and self.faults.lag:
            seen = thing.listed(now)
            if seen is not None:
                self._fading.append((now + self.weather.random.uniform(0, self.faults.lag), seen))
        for user in self.links.users(thing):
            if user.kind == "VolumeAttachment":
                self.vanish(user, now)

    def _rise(self, thing: Thing, now: float) -> None:
        """What was deleted is back."""
        thing.address = {}
        self._enter(thing)
        self.diary.append(Entry(now, "back", thing.kind, thing.provider_id, thing.owner))
        self.hint(thing.provider_id)

    def _blur(self, thing: Thing, before: Seen | None, now: float) -> None:
        """Listings go on showing `before` for a moment (no longer than the lag after the first of several
        changes)."""
        if self.faults.lag and (thing.stale is None or thing.stale[0] <= now):
            thing.stale = (now + self.weather.random.uniform(0, self.faults.lag), before)
