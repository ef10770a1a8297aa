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
from terrace.ports.people import Directory
from terrace.ports.telemetry import Telemetry
from terrace.runtime.controller import Controller, Means, Tuning
from terrace.runtime.system import SystemClock, SystemEntropy
from terrace.services import Services
from terrace.services.gate import Actor, Gate, Surface, Where
from terrace.services.people import Registry
from terrace.services.people.audit import Clerk
from terrace.services.settings import ProviderSettings, Settings
from terrace.services.settings.schema import Limits
from terrace.stores.in_memory.quotas import MemoryQuotas
from terrace.stores.memory import MemoryStore
from terrace.stores.memory_flavors import MemoryFlavors
from terrace.stores.memory_vault import MemoryVault
from terrace.stores.relational.audit import RelationalAudit
from terrace.stores.relational.flavors import RelationalFlavors
from terrace.stores.relational.people import RelationalPeople
from terrace.stores.relational.quotas import RelationalQuotas
from terrace.stores.relational.sealed.keys import RelationalKeys
from terrace.stores.relational.secrets import RelationalVault
from terrace.stores.sealing import Envelope, KeyFile
from terrace.stores.sqlite import SqliteStore
from terrace.stores.sqlite.connection import SqliteDatabase

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

    def __init__(
        self,
        folder: Any,
        limits: Limits | None = None,
        directory: Directory | None = None,
        *,
        lasting: bool = False,
        **settings: Any,
    ) -> None:
        self.clock, self.entropy, self.telemetry = SystemClock(), SystemEntropy(), Lines()
        self.secrets: Any = KeyFile(folder / "key")
        self.store: Any = MemoryStore(self.secrets, self.clock)
        self.vault: Any = MemoryVault(self.store)
        self.keys: Any = None
        self.quotas: Any = MemoryQuotas(self.store)
        self.flavors: Any = MemoryFlavors(self.store)
        if lasting:
            self._last(folder)
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
            **settings,
        )
        self.controller = Controller(
            self.store,
            self.drivers,
            KINDS,
            Means(self.clock, self.entropy, self.secrets, self.telemetry),
            Tuning(grace=0.0),
        )
        self.database = SqliteDatabase(folder / "people.db", self.clock)
        self.registry = Registry(
            RelationalPeople(self.database), RelationalAudit(self.database, self.secrets.digest), directory
        )
        surface = Surface(
            gate=Gate(self.store, self.telemetry, self.clock, Clerk(self.registry.log)),
            store=self.store,
            controller=self.controller,
            clock=self.clock,
            entropy=self.entropy,
            telemetry=self.telemetry,
            vault=self.vault,
            keys=self.keys,
            quotas=self.quotas,
            flavors=self.flavors,
        )
        self.services = Services(surface, self.settings, "memory", self.registry)
        builtin.offer(self.services.owned, self.services.signals)
        self.app = build(self.services)
        self.http = self.client(owner=True)

    def _last(self, folder: Any) -> None:
        self.secrets = Envelope(self.secrets, self.clock)
        self.store = SqliteStore(folder / "terrace.db", self.secrets, self.clock)
        self.vault = RelationalVault(self.store.database, self.secrets, self.clock)
        self.quotas = RelationalQuotas(self.store.database)
        self.flavors = RelationalFlavors(self.store.database, self.secrets)
        self.keys = RelationalKeys(self.store.database, self.secrets, self.clock)

    def client(self, token: str = "", *, owner: bool = False, host: str = "192.0.2.1") -> httpx.AsyncClient:
        """Somebody at `host` with a token, or the owner at their socket."""

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await self.app({**scope, "terrace.owner": owner}, receive, send)

        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(host, 1))
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.AsyncClient(transport=transport, base_url="http://terrace", headers=headers)

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
async def running(folder: Any, limits: Limits | None = None, **more: Any) -> AsyncIterator[Rig]:
    """A Rig whose controller works."""
    rig = Rig(folder, limits, **more)
    await rig.store.open()
    await rig.database.open()
    await rig.controller.start()
    try:
        yield rig
    finally:
        rig.services.events.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(rig.controller.stop(), 1.0)
        await rig.store.close()
        await rig.http.aclose()
        await rig.database.close()
