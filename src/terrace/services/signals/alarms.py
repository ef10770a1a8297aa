"""What alarms are told. The newest word is their state; whom they call then is up to the engine."""

from __future__ import annotations

import asyncio
import weakref
from typing import Any, Final

import msgspec

from terrace.engine.stack.state import Live, StackState
from terrace.errors import UserError
from terrace.kinds.signal.alarm import TOLD, Told, told
from terrace.model.spec.signal import ALARM, OK, STATES, UNSURE
from terrace.model.stack import Directive
from terrace.services.gate import Surface
from terrace.services.signals.heard import tell
from terrace.services.signals.sizes import Taken

_ALERTS: Final = {"firing": ALARM, "resolved": OK}
"""What Prometheus' Alertmanager says."""


class Alarms:
    """Use cases about alarms."""

    def __init__(self, surface: Surface) -> None:
        self._on = surface
        self._turns: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()

    async def told(self, state: StackState, live: Live, body: bytes, who: str) -> Taken:
        """Has an alarm be in the state that `body` says; on disk before it returns. UserError for what says none."""
        said, why = _read(body)
        stack, path = state.stack.id, live.path
        async with self._turns.setdefault(stack + path, asyncio.Lock()):
            before = await self._before(stack, path, live.uid)
            now = self._on.clock.now()
            fresh = Told(
                state=said,
                why=why,
                at=now,
                words=before.words + 1,
                turns=before.turns + (said != before.state),
                to=live.uid,
            )
            await self._on.store.direct(
                [Directive(stack, path, TOLD, msgspec.to_builtins(fresh), who, why, now)]
            )
        words = f"{path} is in state {said}; it was in state {before.state}"
        await tell(self._on, stack, "alarm.told", path, f"{words}: {why or 'no reason given'}, from {who}")
        return Taken("", said.upper(), words)

    async def _before(self, stack: str, path: str, uid: str) -> Told:
        """What the alarm `uid` was told last."""
        for one in await self._on.store.directives(stack):
            if (one.path, one.what) == (path, TOLD):
                known = told(one.value)
                if known is not None and known.to == uid:
                    return known
        return Told(UNSURE)


def _read(body: bytes) -> tuple[str, str]:
    """The state that a body says, and why: {"state", "reason"}, in the words of OpenStack's alarms ("current") or of
    AWS's ("NewStateValue", "NewStateReason"), or an alert ("status"). Who says nothing says alarm."""
    try:
        said: Any = msgspec.json.decode(body) if body.strip() else {}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise UserError(
            "the body is no JSON object", code="invalid-signal", hint='for example {"state": "alarm"}'
        )
    given = _first(said, "state", "current", "NewStateValue", "status")
    word = ALARM if given is None else given
    word = word.lower().replace("_", " ") if isinstance(word, str) else ""
    word = _ALERTS.get(word, word)
    if word not in STATES:
        raise UserError(
            f"the state of an alarm must be one of {', '.join(STATES)}",
            code="invalid-signal",
            hint='for example {"state": "alarm"}',
        )
    why = _first(said, "reason", "NewStateReason")
    if not isinstance(why, str | None):
        raise UserError("the reason must be a text", code="invalid-signal")
    return word, (why or "")[:1024]


def _first(said: dict[str, Any], *names: str) -> Any:
    return next((said[name] for name in names if said.get(name) is not None), None)
