"""Doors that guests and others knock at by HTTP, and what waits for them."""

from __future__ import annotations

from typing import Any

import msgspec

SUCCESS, FAILURE = "SUCCESS", "FAILURE"
"""What a signal can report."""


class HandleSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """A door for signals. `form` is what a reference to it gives: "id", or "url". `rotation` counts how often its
    token was changed (-1: it has none any more). `signals` are those that came, by their id: {status, reason, data,
    at, to}, `to` the incarnation (its owner's token) that they were sent to."""

    form: str = "id"
    rotation: int = 0
    signals: dict[str, dict[str, Any]] = {}


class ConditionSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """What waits until `count` signals came to the door `handle` (its id), for `timeout` seconds. `signals` are those
    that the door shows."""

    handle: str
    signals: dict[str, dict[str, Any]] = {}
    count: int = 1
    timeout: float = 3600.0

    @property
    def fulfilled(self) -> bool:
        """Whether enough signals came, and none of them reports a failure."""
        return len(self.signals) >= self.count and all(
            one.get("status") != FAILURE for one in self.signals.values()
        )


class PolicySpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """A door that changes the size of `group` (a path). `adjustment` is what `kind` says: change_in_capacity and
    exact_capacity count members, percent_change_in_capacity counts percent, `least` members at least. For `cooldown`
    seconds after a change there is no other. `rotation` as of a HandleSpec."""

    group: str
    adjustment: float
    kind: str = "change_in_capacity"
    least: int = 0
    cooldown: float = 0.0
    rotation: int = 0


class LaunchSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the machines of a group are started with; Terrace keeps it for those who refer to it."""

    image: str = ""
    flavor: str = ""
    key: str = ""
    user_data: Any = ""
    security_groups: tuple[str, ...] = ()


ALARM, OK, UNSURE = STATES = ("alarm", "ok", "insufficient data")
"""The states of an alarm."""
UNMEASURED = "nothing measures metrics yet: signal its alarm_url, or that of the policy"


class AlarmSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """What watches something, and whom it calls when that turns. `rule` says what and when, in the words of its
    `type`; `actions` are the URLs that are called in each state (see STATES). `repeat`: also when a state is said
    again. `state` is the one that was last said, `why` and `at` when (epoch seconds); `words` counts what was said,
    `turns` how often that was another state, for the alarm with the uid `to`. `rotation` as of a HandleSpec."""

    rule: dict[str, Any] = {}
    actions: dict[str, tuple[Any, ...]] = {}
    repeat: bool = True
    enabled: bool = True
    description: str = ""
    severity: str = "low"
    state: str = UNSURE
    why: str = ""
    at: float = 0.0
    words: int = 0
    turns: int = 0
    to: str = ""
    rotation: int = 0
