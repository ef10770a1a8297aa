"""What a driver needs of those who look after stacks: stacks that resources own, and doors that alarms knock at."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec


class Order(msgspec.Struct, frozen=True):
    """What a resource wants its own stack to be. `project` and `stack` are where the resource is (by name), `owner` is
    its uid, `name` that of its own stack."""

    project: str
    stack: str
    owner: str
    name: str
    template: str
    parameters: dict[str, Any]
    timeout: float = 0.0


class Standing(msgspec.Struct, frozen=True):
    """How an owned stack stands. `settled`: as last ordered; `failed`: why that failed ("" if it did not); `why`: what
    it waits for."""

    id: str
    settled: bool
    failed: str = ""
    why: str = ""
    outputs: dict[str, Any] = {}


class OwnStacks(Protocol):
    """The stacks that resources own. Nothing is done to a stack that another made."""

    async def order(self, order: Order) -> None:
        """Has it be so; nothing happens when it is ordered so already. PermanentError: the template is wrong, or a
        stack of that name is somebody else's. TransientError: not now."""

    async def standing(self, project: str, name: str, owner: str) -> Standing | None:
        """How the stack of `owner` stands; None when there is none (of that owner)."""

    async def delete(self, project: str, name: str, owner: str) -> None:
        """Has nothing of it left. Whoever reads its outputs keeps what they have."""


class Ring(msgspec.Struct, frozen=True):
    """A call of the alarm with the uid `alarm`, named `name`: its state is `state`, because of `why`. `number` rises
    with each; the same call may come twice."""

    alarm: str
    number: int
    name: str
    state: str
    why: str = ""


class Doors(Protocol):
    """The doors for signals that there are."""

    async def call(self, url: str, ring: Ring) -> str | None:
        """Knocks at the door that a URL with its token opens, once for each call: what became of it, in one line; None
        when no door here has that URL. TransientError: not now."""
