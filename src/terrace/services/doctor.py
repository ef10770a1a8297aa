"""What the server can say of its own health, each fault with how to mend it."""

from __future__ import annotations

import asyncio
import os
import shutil
from enum import StrEnum

import msgspec

from terrace.errors import TerraceError
from terrace.model.stack import Phase
from terrace.services.gate import Actor, Right, Surface
from terrace.services.providers import Providers
from terrace.services.settings import Settings

SPACE = 256 * 1024**2
"""Bytes that should be free where the state folder is."""
AGAIN = 1.0
"""Seconds for which what was found of readiness counts."""
PATIENCE = 5.0
"""Seconds that the store may take to show that it can be written."""


class Health(StrEnum):
    """How one check came out."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


class Check(msgspec.Struct, frozen=True):
    """One thing that was looked at; `hint` says how to mend it."""

    name: str
    health: Health
    message: str
    hint: str = ""


class Doctor:
    """Looks at the server from inside."""

    def __init__(self, surface: Surface, settings: Settings, providers: Providers) -> None:
        self._on = surface
        self._settings = settings
        self._known = providers
        self._looked = float("-inf")
        self._unready = ""
        self.started = surface.clock.now()
        """When the server was built, in epoch seconds."""
        self.stopping = False
        """Set when the server was told to stop: it is ready for nothing new."""

    async def unready(self) -> str:
        """Why the server cannot do its work at the moment; "" when it can. However often it is asked, it looks once a
        second."""
        now = self._on.clock.now()
        if now - self._looked >= AGAIN:
            self._looked, self._unready = now, await self._hindered()
        return "the server is stopping" if self.stopping else self._unready

    async def _hindered(self) -> str:
        if self._on.controller.trouble:
            return self._on.controller.trouble
        try:
            async with asyncio.timeout(PATIENCE):
                await self._on.writable()
        except TerraceError as error:
            return error.message
        except TimeoutError:
            return f"the store does not answer within {PATIENCE:g} s"
        return ""

    async def looked_at(self, actor: Actor) -> None:
        """ForbiddenError unless `actor` may see how the server runs."""
        await self._on.gate.admit(actor, Right.INSPECT)

    async def measured(self, actor: Actor) -> str:
        """All measurements, in the text format of Prometheus."""
        await self._on.gate.admit(actor, Right.INSPECT)
        return self._on.telemetry.measured()

    async def examine(self, actor: Actor) -> list[Check]:
        """All checks, in a fixed order."""
        await self._on.gate.admit(actor, Right.INSPECT)
        return [
            self._settings_file(),
            self._state_folder(),
            await self._database(),
            *await self._providers(actor),
            await self._ghosts(),
        ]

    def _settings_file(self) -> Check:
        file = self._settings.file
        return Check("settings", Health.OK, f"read from {file}" if file else "built in (no server.toml)")

    def _state_folder(self) -> Check:
        folder = self._settings.state
        try:
            free = shutil.disk_usage(folder).free
            mode = os.stat(folder).st_mode & 0o077
        except OSError as error:
            return Check(
                "state folder", Health.FAULT, f"{folder}: {error.strerror}", f"make {folder} readable"
            )
        if mode:
            hint = f"chmod 700 {folder}"
            return Check("state folder", Health.FAULT, f"others may look into {folder}", hint)
        if not os.access(folder, os.W_OK):
            return Check("state folder", Health.FAULT, f"{folder} cannot be written", f"chmod u+w {folder}")
        if free < SPACE:
            message = f"only {free // 1024**2} MiB are free where {folder} is"
            return Check("state folder", Health.WARNING, message, "free some space: df -h " + folder)
        return Check("state folder", Health.OK, f"{folder}, {free // 1024**2:,} MiB free")

    async def _database(self) -> Check:
        try:
            stacks = await self._on.store.stacks()
        except TerraceError as error:
            return Check("database", Health.FAULT, error.message, error.hint)
        bad = [stack.name for stack in stacks if stack.phase is Phase.FAILING]
        if bad:
            message = f"{len(stacks)} stacks, failing: {', '.join(bad[:5])}"
            return Check("stacks", Health.WARNING, message, f"terrace status {bad[0]}")
        if self._on.controller.trouble:
            return Check("database", Health.FAULT, self._on.controller.trouble, "terrace events")
        return Check("database", Health.OK, f"answers; stacks: {len(stacks)}")

    async def _providers(self, actor: Actor) -> list[Check]:
        checks = []
        for status in await self._known.listing(actor):
            name = f"provider {status.name}"
            if status.reachable:
                checks.append(Check(name, Health.OK, f"{status.driver}, answers"))
            else:
                hint = f"check [providers.{status.name}] in {self._settings.file or 'server.toml'}"
                checks.append(Check(name, Health.FAULT, status.why or "does not answer", hint))
        return checks

    async def _ghosts(self) -> Check:
        count = len(await self._on.controller.ghosts())
        if count:
            return Check(
                "ghosts", Health.WARNING, f"things that nothing wants: {count}", "terrace ghost list"
            )
        return Check("ghosts", Health.OK, "none")
