"""Alarms: what they were told is taken in, and whom they call is called. Every call may be made twice: whoever is
called knows it by its number."""

from __future__ import annotations

from typing import Any

from terrace.drivers.builtin.doors import door
from terrace.model.spec.signal import UNSURE, AlarmSpec
from terrace.model.step import Step, Verb
from terrace.model.value import Secret
from terrace.ports.clock import Entropy
from terrace.ports.stacks import Doors, Ring

TRUST = "trust+"
"""What OpenStack puts before a URL that is to be called with its owner's rights; here a URL has its own."""
NOBODY = "not called: it is no URL of this server's, and nothing is sent elsewhere"


class Nobody:
    """ports.stacks.Doors where there are none."""

    async def call(self, url: str, ring: Ring) -> str | None:
        """Nobody is there."""
        return None


class AlarmSteps:
    """Carries out the steps of the kind Alarm at `place`, the beginning of its URL."""

    def __init__(self, entropy: Entropy, place: str) -> None:
        self.doors: Doors = Nobody()
        self._entropy = entropy
        self._place = place

    async def attributes(self, step: Step) -> dict[str, Any]:
        """The attributes of an alarm, once those are called who are to be. TransientError: somebody cannot be called
        now."""
        spec: AlarmSpec = step.spec
        before = step.attributes if step.verb is not Verb.CREATE else {}
        meant = spec.to == step.owner.uid
        called = list(before.get("called", ()))
        if meant and before and spec.enabled and _due(spec, before):
            called = [await self._call(step, spec, url) for url in spec.actions.get(spec.state, ())]
        made = door(step, spec.rotation, self._entropy, self._place)
        return {
            **made,
            "alarm_url": made["url"],
            "signal_url": made["url"],
            "state": spec.state if meant else UNSURE,
            "reason": spec.why if meant else "",
            "called": called,
            "words": spec.words if meant else 0,
            "turns": spec.turns if meant else 0,
        }

    async def _call(self, step: Step, spec: AlarmSpec, url: Any) -> str:
        text = str(url.reveal() if isinstance(url, Secret) else url).removeprefix(TRUST)
        ring = Ring(step.owner.uid, spec.words, step.names.path, spec.state, spec.why)
        return await self.doors.call(text, ring) or NOBODY


def _due(spec: AlarmSpec, before: dict[str, Any]) -> bool:
    """Whether anybody is to be called since the alarm was last looked at."""
    turned = spec.turns > before.get("turns", 0)
    return turned or (spec.repeat and spec.words > before.get("words", 0))
