"""Signals: what guests and others say to a door. A token is all that they need, and all that it lets them do."""

from __future__ import annotations

import asyncio
import hmac
import re
import weakref
from typing import Any

import msgspec

from terrace.engine.stack.state import Live, StackState
from terrace.errors import ConflictError, NotFoundError, QuotaError, TransientError, UserError
from terrace.kinds.signal.handle import ROTATE, SIGNAL
from terrace.model.record import Record
from terrace.model.spec.signal import FAILURE, SUCCESS
from terrace.model.stack import Directive, Stack
from terrace.model.value import Secret
from terrace.ports.stacks import Ring
from terrace.services.gate import Actor, Right, Surface, Where
from terrace.services.signals.alarms import Alarms
from terrace.services.signals.finding import standing
from terrace.services.signals.heard import heard, tell
from terrace.services.signals.rate import Rate
from terrace.services.signals.sizes import Sizes, Taken

BODY = 64 * 1024
"""The most bytes of one signal."""
MOST, MOST_BYTES = 1000, 1024 * 1024
"""How many signals one handle keeps, and how much they may say in all."""
BURST, PER_SECOND = 50.0, 10.0
TRIES, TRIES_PER_SECOND = 10.0, 0.2
REVOKED = -1
_ID = re.compile(r"[^\x00-\x1f\x7f]{1,255}")
_DOORS = ("WaitConditionHandle", "ScalingPolicy", "Alarm")
_URL = re.compile(r"https?://[^/]+(?:/[^/]+)*?/v1/signals/([^/?#]{1,255})/([^/?#]{1,255})")


class Knock(msgspec.Struct, frozen=True):
    """Somebody at a door: which one (uid-incarnation), with which token, what they say, and where they stand."""

    door: str
    token: str
    body: bytes = b""
    source: str = ""


class SignalView(msgspec.Struct, frozen=True):
    """A signal that came: to which door, when, and what it said."""

    path: str
    id: str
    status: str
    reason: str
    data: Any
    at: float


class Signals:
    """Use cases about signals."""

    def __init__(self, surface: Surface, sizes: Sizes) -> None:
        self._on = surface
        self._sizes = sizes
        self._alarms = Alarms(surface)
        self._rate = Rate(BURST, PER_SECOND)
        self._tries = Rate(TRIES, TRIES_PER_SECOND)
        self._turns: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()

    async def receive(self, knock: Knock) -> Taken:
        """Takes a signal from somebody who has a token; on disk before it returns. NotFoundError whatever is wrong
        with door or token, QuotaError for what comes too often, UserError for what is no signal."""
        now = self._on.clock.now()
        _not_too_often(max(self._rate.take(knock.source, now), self._tries.empty(knock.source, now)))
        found = await self._open(knock)
        if found is None:
            self._tries.take(knock.source, now)
            raise NotFoundError(
                "there is no such door, or its token is another by now", code="unknown-signal"
            )
        return await self._take(*found, knock.body)

    async def send(self, actor: Actor, where: Where, path: str, body: bytes) -> Taken:
        """Sends a signal as a person who needs no token."""
        return await self._take(*await self._door(actor, Right.WRITE, where, path), body, actor.name)

    async def call(self, url: str, ring: Ring) -> str | None:
        """Takes a signal from an alarm, which has the URL of a door (ports.stacks.Doors). What came twice is kept once:
        a policy knows the number, and a handle keeps it under an id that follows from it."""
        match = _URL.fullmatch(url)
        found = await self._open(Knock(match[1], match[2])) if match is not None else None
        if found is None:
            return None
        state, live, record = found
        if record.kind == "Alarm":
            return f"{live.path} is an alarm, and alarms do not call each other"
        said = {
            "id": f"{ring.alarm}-{ring.number}",
            "reason": ring.why or f"{ring.name} is in state {ring.state}",
            "data": {"alarm": ring.name, "state": ring.state},
        }
        try:
            return (await self._take(state, live, record, msgspec.json.encode(said), ring.name, ring)).message
        except (ConflictError, QuotaError) as error:
            return error.message

    async def listing(
        self,
        actor: Actor,
        where: Where,
        path: str = "",
        *,
        after: tuple[str, str] = ("", ""),
        limit: int = 1000,
    ) -> list[SignalView]:
        """Signals that came to a stack, or to one of its handles, by path and id; up to `limit` of them after the one
        at that path with that id."""
        stack = await self._on.gate.stack(actor, Right.READ, where)
        found = await self._on.store.directive_page(
            stack.id, SIGNAL, path=path, after=(after[0], SIGNAL + after[1]), limit=limit
        )
        return [_view(one) for one in found]

    async def rotate(self, actor: Actor, where: Where, path: str, *, revoke: bool = False) -> Stack:
        """Has a door get another token, or none any more; the one before is worth nothing from then on."""
        state, live, _ = await self._door(actor, Right.WRITE, where, path)
        said = await self._directive(state.stack.id, path, ROTATE)
        count = max(int(said.value), 0) if said is not None else 0
        now = self._on.clock.now()
        wish = Directive(
            state.stack.id, path, ROTATE, REVOKED if revoke else count + 1, actor.name, "rotate", now
        )
        if revoke:
            wish = msgspec.structs.replace(wish, why="revoke")
        await self._on.store.direct([wish])
        await tell(
            self._on,
            state.stack.id,
            "signal.revoked" if revoke else "signal.rotated",
            path,
            f"by {actor.name}",
        )
        return await heard(self._on, state.stack, live.uid, lambda now: _rotation(now) == wish.value)

    async def _take(
        self,
        state: StackState,
        live: Live,
        record: Record,
        body: bytes,
        who: str = "guest",
        ring: Ring | None = None,
    ) -> Taken:
        """A signal that may come in, to whatever kind of door."""
        if record.kind == "ScalingPolicy":
            return await self._sizes.knocked(state, live, ring)
        if record.kind == "Alarm":
            return await self._alarms.told(state, live, body, who)
        return await self._keep(state.stack.id, live.path, record, body, who)

    # --- doors

    async def _open(self, knock: Knock) -> tuple[StackState, Live, Record] | None:
        """The door that a token opens, None when there is none."""
        uid, _, incarnation = knock.door.rpartition("-")
        found = await self._on.controller.locate(uid)
        if found is None or not incarnation.isdecimal():
            return None
        state, live = found
        record = live.current
        if record is None or str(record.incarnation) != incarnation or record.kind not in _DOORS:
            return None
        wanted = state.directives.get(live.path, {}).get(ROTATE, 0)
        seen = record.seen.attributes if record.seen is not None else {}
        token = seen.get("token")
        if not isinstance(token, Secret) or seen.get("rotation") != wanted or not token.reveal():
            return None
        fits = hmac.compare_digest(str(token.reveal()).encode(), knock.token.encode())
        return (state, live, record) if fits else None

    async def _door(
        self, actor: Actor, right: Right, where: Where, path: str
    ) -> tuple[StackState, Live, Record]:
        """The door at a path of a stack."""
        stack = await self._on.gate.stack(actor, right, where)
        record = await standing(self._on, stack, path)
        if record.kind not in _DOORS:
            raise ConflictError(
                f'"{path}" is a {record.kind}: nobody can send it signals',
                code="no-signals",
                hint="signals go to a WaitConditionHandle, a ScalingPolicy or an Alarm",
            )
        found = await self._on.controller.locate(record.uid)
        if found is None:
            raise TransientError(
                f'stack "{where.stack}" is not being worked on at the moment', retry_after=1.0
            )
        return (*found, record)

    # --- keeping

    async def _keep(self, stack: str, path: str, record: Record, body: bytes, who: str) -> Taken:
        async with self._turns.setdefault(stack + path, asyncio.Lock()):
            to = f"{record.uid}-{record.incarnation}"
            known = {
                one.what[len(SIGNAL) :]: one
                for one in await self._on.store.directives(stack)
                if one.path == path and one.what.startswith(SIGNAL)
            }
            ours = {name: one for name, one in known.items() if one.value["to"] == to}
            name, value = _read(body, ours)
            value = {**value, "at": self._on.clock.now(), "to": to}
            _room(name, value, ours)
            stale = [
                Directive(stack, path, one.what)
                for key, one in known.items()
                if key not in ours and key != name
            ]
            fresh = Directive(stack, path, SIGNAL + name, value, who, value["reason"], value["at"])
            await self._on.store.direct([*stale, fresh])
        await tell(self._on, stack, "signal.received", path, f"signal {name}: {value['status']}, from {who}")
        return Taken(name, value["status"], f"signal {name}: {value['status']}")

    async def _directive(self, stack: str, path: str, what: str) -> Directive | None:
        said = await self._on.store.directives(stack)
        return next((one for one in said if one.path == path and one.what == what), None)


def _rotation(live: Live) -> Any:
    """How often the token of a door was changed, as far as that is done."""
    record = live.current
    return record.seen.attributes.get("rotation") if record is not None and record.seen is not None else None


def _view(said: Directive) -> SignalView:
    one = said.value
    return SignalView(said.path, said.what[len(SIGNAL) :], one["status"], one["reason"], one["data"], said.at)


def _not_too_often(wait: float) -> None:
    if wait > 0:
        raise QuotaError(
            "too many signals come from there",
            code="too-many-signals",
            hint=f"try again in {max(1, round(wait))} s",
        )


def _read(body: bytes, known: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """A signal from a body, in Heat's words or in those of AWS. What is not said is a success under the next number."""
    if len(body) > BODY:
        raise UserError(f"a signal has at most {BODY:,} bytes", code="body-too-large")
    try:
        said = msgspec.json.decode(body) if body.strip() else {}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise UserError(
            "the body is no JSON object", code="invalid-signal", hint='for example {"status": "SUCCESS"}'
        )
    status = said.get("status", said.get("Status", SUCCESS))
    if status not in (SUCCESS, FAILURE):
        raise UserError(f"the status must be {SUCCESS} or {FAILURE}", code="invalid-signal")
    number = len(known) + 1
    while str(number) in known:
        number += 1
    name = said.get("id", said.get("UniqueId"))
    name = str(number) if name is None else name
    name = str(name) if isinstance(name, int) and not isinstance(name, bool) else name
    if not isinstance(name, str) or not _ID.fullmatch(name):
        raise UserError("the id must be a text of at most 255 characters", code="invalid-signal")
    reason = said.get("reason", said.get("Reason"))
    reason = f"Signal {name} received" if reason is None else reason
    if not isinstance(reason, str):
        raise UserError("the reason must be a text", code="invalid-signal")
    return name, {"status": status, "reason": reason[:1024], "data": said.get("data", said.get("Data"))}


def _room(name: str, value: dict[str, Any], known: dict[str, Any]) -> None:
    others = [one.value for key, one in known.items() if key != name]
    size = sum(len(msgspec.json.encode(one)) for one in (*others, value))
    if len(others) >= MOST or size > MOST_BYTES:
        raise QuotaError(
            f"a handle keeps at most {MOST:,} signals of {MOST_BYTES:,} bytes in all", code="too-many-signals"
        )
