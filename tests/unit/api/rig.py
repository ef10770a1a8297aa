"""A whole server without a socket: use cases and API over a store in memory and a simulated provider."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx

from terrace.api import build
from terrace.drivers.builtin.driver import BuiltinDriver
from terrace.drivers.sim.driver import SimDriver
from terrace.drivers.sim.world import World
from terrace.kinds import KINDS
from terrace.model.catalogue import FLAVORS, IMAGES, Catalogue
from terrace.ports.driver import Driver
from terrace.ports.telemetry import Telemetry
from terrace.runtime.controller import Controller, Means, Tuning
from terrace.runtime.system import SystemClock, SystemEntropy
from terrace.services import Services
from terrace.services.gate import Actor, Gate, Surface, Where
from terrace.services.settings import ProviderSettings, Settings
from terrace.services.settings.schema import Limits
from terrace.stores.memory import MemoryStore
from terrace.stores.memory_vault import MemoryVault
from terrace.stores.relational.keys import RelationalKeys
from terrace.stores.relational.quotas import RelationalQuotas
from terrace.stores.relational.secrets import RelationalVault
from terrace.stores.sealing import Envelope, KeyFile
from terrace.stores.sqlite import SqliteStore

OWNER = Actor("ann", owner=True)
AT = Where("default", "shop")
STACKS = "/v1/projects/default/stacks"
SHOP = STACKS + "/shop"
HEAD = "heat_template_version: 2021-04-16\n"


class Lines(Telemetry):
    """Telemetry that keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def log(self, level: str, event: str, **fields: Any) -> None:
        self.lines.append({"level": level, "event": event, **fields})


class Rig:
    """The parts of one server, and a client that speaks to it. `lasting`: over a database, as a real one has it."""

    def __init__(self, folder: Any, limits: Limits | None = None, *, lasting: bool = False) -> None:
        self.clock, self.entropy, self.telemetry = SystemClock(), SystemEntropy(), Lines()
        self.secrets: Any = KeyFile(folder / "key")
        self.store: Any = MemoryStore(self.secrets, self.clock)
        self.vault: Any = MemoryVault(self.store)
        self.keys: Any = None
        self.quotas: Any = None
        if lasting:
            self.secrets = Envelope(self.secrets, self.clock)
            self.store = SqliteStore(folder / "terrace.db", self.secrets, self.clock)
            self.vault = RelationalVault(self.store.database, self.secrets, self.clock)
            self.quotas = RelationalQuotas(self.store.database)
            self.keys = RelationalKeys(self.store.database, self.secrets, self.clock)
        self.world = World()
        builtin = BuiltinDriver(self.clock, self.entropy)
        self.drivers: dict[str, Driver] = {
            "builtin": builtin,
            "local": SimDriver(self.world, self.clock),
        }
        self.settings = Settings(
            state=str(folder),
            socket=str(folder / "server.sock"),
            providers={"local": ProviderSettings("local", "sim", {}, Catalogue(FLAVORS, IMAGES))},
            default_provider="local",
            limits=limits or Limits(),
        )
        self.controller = Controller(
            self.store,
            self.drivers,
            KINDS,
            Means(self.clock, self.entropy, self.secrets, self.telemetry),
            Tuning(grace=0.0),
        )
        surface = Surface(
            gate=Gate(self.store, self.telemetry),
            store=self.store,
            controller=self.controller,
            clock=self.clock,
            entropy=self.entropy,
            telemetry=self.telemetry,
            vault=self.vault,
            keys=self.keys,
            quotas=self.quotas,
        )
        self.services = Services(surface, self.settings, "memory")
        builtin.offer(self.services.owned, self.services.signals)
        self.app = build(self.services)
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, raise_app_exceptions=False), base_url="http://terrace"
        )

    async def up(self, template: str, name: str = "shop", **more: Any) -> httpx.Response:
        """PUT and wait until it settled or failed."""
        return await self.put(template, name, query={"wait": "settled", "timeout": 20}, **more)

    async def put(
        self,
        template: str,
        name: str = "shop",
        *,
        query: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        **body: Any,
    ) -> httpx.Response:
        """PUT of a template without its first line."""
        files = {"t.yaml": HEAD + template, **body.pop("files", {})}
        document = {"template": "t.yaml", "files": files, **body}
        return await self.http.put(
            f"{STACKS}/{name}", params=query, content=json.dumps(document), headers=headers
        )

    async def get(self, path: str, **query: Any) -> Any:
        """The body of a GET that must succeed."""
        response = await self.http.get(path, params=query)
        assert response.status_code == 200, response.text
        return response.json()


@asynccontextmanager
async def running(folder: Any, limits: Limits | None = None, *, lasting: bool = False) -> AsyncIterator[Rig]:
    """A Rig whose controller works."""
    rig = Rig(folder, limits, lasting=lasting)
    await rig.store.open()
    await rig.controller.start()
    try:
        yield rig
    finally:
        rig.services.events.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(rig.controller.stop(), 1.0)
        await rig.store.close()
        await rig.http.aclose()
