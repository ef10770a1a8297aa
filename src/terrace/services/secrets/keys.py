"""The keys that everything secret is sealed with: how they stand, and new ones."""

from __future__ import annotations

import asyncio

from terrace.errors import NotFoundError, TerraceError
from terrace.ports.secrets import Keys, KeyStatus
from terrace.services.gate import Actor, Right, Surface

LOOK = 10.0
"""Seconds between looking for data keys that other servers made."""
BREATH = 0.02
"""Seconds between two batches of values that are sealed anew, so that others come in between."""
SCOPE = "keys"
"""The lease of the one server that seals old values anew."""
HOLDING = 30.0

NONE = KeyStatus((), 0, None, "")
"""How they stand where the store has but a key file."""


class KeyKeeping:
    """Use cases about keys, and what goes on by itself. `alone`: no other server uses the database."""

    def __init__(self, surface: Surface, *, alone: bool = True) -> None:
        self._on = surface
        self._delay = 0.0 if alone else 3 * LOOK
        self._holder = f"keys-{surface.entropy.uid()}"
        self._bell = asyncio.Event()

    async def status(self, actor: Actor) -> KeyStatus:
        """How the keys stand."""
        await self._on.gate.admit(actor, Right.INSTALLATION, "", "keys")
        return await self._on.keys.status() if self._on.keys is not None else NONE

    async def rotate(self, actor: Actor) -> KeyStatus:
        """A new master key and a new data key; what was sealed with older ones is sealed anew, beside everything else.
        ConflictError."""
        await self._on.gate.admit(actor, Right.INSTALLATION, "", "keys: rotate")
        status = await self._keys().rotate(self._delay)
        self._bell.set()
        return status

    async def forget(self, actor: Actor, master: str) -> KeyStatus:
        """Takes an old master key away. NotFoundError; ConflictError while it is needed."""
        await self._on.gate.admit(actor, Right.INSTALLATION, "", f"keys: forget {master}")
        return await self._keys().forget(master)

    async def tend(self) -> None:
        """Reads data keys that others made, and seals anew what is to be; for ever."""
        if self._on.keys is None:
            return
        while True:
            try:
                if self._delay:
                    await self._on.keys.refresh()
                await self._seal_anew(self._on.keys)
            except TerraceError as error:
                self._on.telemetry.log("warning", "keys.trouble", error=error.message)
            try:
                async with asyncio.timeout(LOOK):
                    await self._bell.wait()
            except TimeoutError:
                continue
            self._bell.clear()

    async def _seal_anew(self, keys: Keys) -> None:
        """For as long as there is something, and this server is the one that does it."""
        while await self._on.store.acquire(SCOPE, self._holder, HOLDING) is not None:
            if not await keys.step():
                return
            await self._on.clock.sleep(BREATH)

    def _keys(self) -> Keys:
        if self._on.keys is None:
            raise NotFoundError("this store keeps no data keys: it is sealed by the key file alone")
        return self._on.keys
