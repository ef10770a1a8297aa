"""Where concrete things meet: settings, store, drivers, runtime and API become one server process.

`cli()` is the `terrace` command. `terrace serve` is what starts in the background when a server is needed; it
never touches the command line's own code, so that it starts fast. It ends with 0 when it was told to stop,
with 1 when it cannot run (settings, a state folder that is full or read-only), with 4 when something is in
the way (another server on the same state folder, a database of a newer version); what is wrong is said on
standard error."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from terrace.api.listen import Doors
    from terrace.ports.clock import Clock, Entropy
    from terrace.ports.driver import Driver
    from terrace.ports.edge.requests import Requests
    from terrace.ports.people import Directory
    from terrace.ports.secrets import Secrets
    from terrace.ports.telemetry import Telemetry
    from terrace.runtime.bell import Bell
    from terrace.runtime.controller import Controller
    from terrace.services import Services
    from terrace.services.settings import Settings
    from terrace.stores.relational import RelationalStore
    from terrace.stores.sealing import Envelope

DONE, FAILED, CONFLICT = 0, 1, 4
STOPPING = 5.0
LEASE_SURE = 0.75
"""What is left of a lease when it is renewed; no request may take longer, or it could not be begun safely."""


def cli() -> None:
    """The `terrace` command."""
    if sys.argv[1:2] == ["serve"]:
        sys.exit(serve(sys.argv[2:]))
    from terrace.cli.root import main

    sys.exit(main())


def serve(arguments: list[str]) -> int:
    """Runs the server in this process until it is told to stop; its exit code. `--settings` prints a
    commented server.toml instead, `--check` only checks the one there is; `--db` does what `terrace db` asks. After
    SIGHUP it begins anew, and whoever connects meanwhile waits."""
    import asyncio

    import uvloop

    from terrace.errors import ConflictError, DocumentError, TerraceError
    from terrace.services.settings import commented

    try:
        match arguments:
            case []:
                with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                    left = runner.run(run(load_settings()))
                if left:
                    from terrace.api.edge.handover import again

                    again(left, ["-m", "terrace", "serve"])
            case ["--settings"]:
                sys.stdout.write(commented())
            case ["--check"]:
                asyncio.run(check(load_settings()))
            case ["--db", *words]:
                return DONE if asyncio.run(keep(load_settings(), words)) else FAILED
            case _:
                sys.stderr.write("usage: terrace serve [--check | --settings | --db ...]\n")
                return FAILED
    except DocumentError as error:
        for problem in error.problems:
            sys.stderr.write(
                f"error: {problem.message}\n  --> {problem.file}:{problem.line}:{problem.column}\n"
            )
            sys.stderr.write(f"   | {problem.source}\n" if problem.source else "")
            sys.stderr.write(f"  help: {problem.hint}\n" if problem.hint else "")
        return FAILED
    except TerraceError as error:
        sys.stderr.write(f"error: {error.message}\n" + (f"  help: {error.hint}\n" if error.hint else ""))
        return CONFLICT if isinstance(error, ConflictError) else FAILED
    return DONE


def load_settings() -> Settings:
    """What server.toml and the operator's environments say, or the defaults when there is none. DocumentError with
    every mistake."""
    from terrace.errors import UserError
    from terrace.services.settings import Disk, Surroundings, parse, settings_file, with_operator

    around = Surroundings(os.environ, os.path.exists)
    file = settings_file(around)
    try:
        with open(file, encoding="utf-8") as opened:
            text = opened.read()
    except FileNotFoundError:
        return parse("", "", around)
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"the settings {file} cannot be read: {error}", code="invalid-settings") from error
    return with_operator(parse(text, file, around), Disk(os.listdir, read_text))


def read_text(path: str) -> str:
    """The text of a file. OSError, UnicodeDecodeError."""
    with open(path, encoding="utf-8") as opened:
        return opened.read()


async def check(settings: Settings) -> None:
    """Builds every driver that the settings name, and says that they are right. DocumentError."""
    from terrace.runtime.system import SystemClock, SystemEntropy

    clock = SystemClock()
    for driver in build_drivers(settings, clock, SystemEntropy()).values():
        await driver.close()
    sys.stdout.write(f"{settings.file or 'the built-in settings'}: fine\n")


async def keep(settings: Settings, words: list[str]) -> bool:
    """Does to the database what `words` say (see stores/upkeep/command.py); whether all is well with it."""
    from pathlib import Path

    from terrace.runtime.system import SystemClock
    from terrace.stores.sealing import Envelope, KeyFile
    from terrace.stores.upkeep import command
    from terrace.stores.upkeep.ground import Ground, Keys, SqliteGround

    clock = SystemClock()
    keys = Keys(lambda: Envelope(KeyFile(settings.key_file), clock), clock)
    ground: Ground = SqliteGround(Path(settings.state, "terrace.db"), keys)
    if settings.store.url:
        from terrace.stores.postgres import Address
        from terrace.stores.upkeep.postgres import PostgresGround

        ground = PostgresGround(Address(settings.store.url, settings.store.password_file), keys)
    well, lines = await command.run(words, ground, keys, settings.providers)
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return well


async def run(settings: Settings) -> list[int]:
    """Builds the server that `settings` describe and serves until SIGTERM (then nothing is left), or until SIGHUP: then
    descriptors of the sockets that it listened at."""
    from contextlib import AsyncExitStack

    from terrace.api.edge.handover import Inherited
    from terrace.api.listen import Doors, own_folder
    from terrace.api.telemetry.log import open_log
    from terrace.drivers.builtin.driver import BuiltinDriver
    from terrace.runtime.system import SystemClock, SystemEntropy
    from terrace.services.secrets.lending import lent
    from terrace.stores.relational.secrets import RelationalVault
    from terrace.stores.sealing import Envelope, KeyFile

    clock, entropy = SystemClock(), SystemEntropy()
    async with AsyncExitStack() as ending:
        own_folder(settings.state)
        secrets = Envelope(KeyFile(settings.key_file), clock)
        store = build_store(settings, secrets, clock)
        await store.open()
        ending.push_async_callback(store.close)
        settings = await lent(settings, RelationalVault(store.database, secrets, clock), read_text)
        drivers = build_drivers(settings, clock, entropy)
        for driver in drivers.values():
            ending.push_async_callback(driver.close)
        said = settings.server
        telemetry = open_log(os.path.join(settings.state, "server.log"), said.log, said.log_level)
        doors = Doors(reachable(settings), telemetry, Inherited())
        ending.callback(doors.close)
        controller = build_controller(settings, store, drivers, (clock, entropy, secrets, telemetry))
        services = await build_services(settings, store, controller, (clock, entropy, secrets, telemetry))
        builtin = drivers["builtin"]
        assert isinstance(builtin, BuiltinDriver)
        builtin.offer(services.owned, services.signals)
        await controller.start()
        ending.push_async_callback(stop, controller)

        again = await attend(services, controller.bell, drivers, doors)
        telemetry.log("info", "server.restarting" if again else "server.stopping")
        return doors.leave() if again else []


async def requests_of(store: RelationalStore, secrets: Secrets) -> Requests:
    """What was answered before, in the store's own database."""
    from terrace.stores.relational.requests import RelationalRequests

    found = RelationalRequests(store.database, secrets)
    if not store.lasting_leases:  # no other server uses it: whoever was carrying something out is gone
        await found.abandon()
    return found


async def attend(services: Services, bell: Bell, drivers: dict[str, Driver], doors: Doors) -> bool:
    """Serves `services` at every door, and signals where guests reach them, until SIGTERM or SIGHUP. Whether it is to
    begin anew."""
    import asyncio

    from terrace.api import build, build_doors
    from terrace.api.edge.around import Around
    from terrace.api.edge.serving import Server
    from terrace.api.signals.listener import DoorListener
    from terrace.errors import TerraceError

    settings, telemetry = services.settings, services.telemetry

    def ready() -> None:
        settle_memory()
        where = {"socket": settings.socket, "listen": settings.server.listen, "state": settings.state}
        telemetry.log("info", "server.ready", pid=os.getpid(), **where)

    def may_restart() -> bool:
        try:
            load_settings()
        except TerraceError as error:
            telemetry.log("error", "server.restart-refused", error=str(error))
            return False
        return True

    guests = DoorListener(build_doors(services), lambda: reached_by_guests(drivers), telemetry)
    beside = [
        asyncio.create_task(work) for work in (guests.run(bell), services.keys.tend(), services.people.tend())
    ]
    try:
        app = build(services)
        app.state.doors = doors.all
        around = Around(app, telemetry, settings.server.log_requests)
        server = Server(around, doors.all, telemetry, services.close)
        server.ready, server.may_restart = ready, may_restart
        await server.serve()
        return server.again
    finally:
        for task in beside:
            task.cancel()


def reached_by_guests(drivers: dict[str, Driver]) -> frozenset[tuple[str, int]]:
    """Where guests of any provider are to reach the server."""
    found = (driver.doors() for driver in drivers.values() if hasattr(driver, "doors"))
    return frozenset[tuple[str, int]]().union(*found)


async def build_services(
    settings: Settings,
    store: RelationalStore,
    controller: Controller,
    sources: tuple[Clock, Entropy, Envelope, Telemetry],
) -> Services:
    """The use cases over a store that is open, and over what drives its stacks."""
    from terrace.services import Services
    from terrace.services.gate import Gate, Surface
    from terrace.services.people import Registry
    from terrace.services.people.audit import Clerk
    from terrace.stores.relational.audit import RelationalAudit
    from terrace.stores.relational.flavors import RelationalFlavors
    from terrace.stores.relational.people import RelationalPeople
    from terrace.stores.relational.quotas import RelationalQuotas
    from terrace.stores.relational.sealed.keys import RelationalKeys
    from terrace.stores.relational.secrets import RelationalVault

    clock, entropy, secrets, telemetry = sources
    database = store.database
    log = RelationalAudit(database, secrets.digest)
    surface = Surface(
        gate=Gate(store, telemetry, clock, Clerk(log)),
        store=store,
        controller=controller,
        clock=clock,
        entropy=entropy,
        telemetry=telemetry,
        vault=RelationalVault(database, secrets, clock),
        defaults=settings.defaults,
        keys=RelationalKeys(database, secrets, clock),
        quotas=RelationalQuotas(database),
        flavors=RelationalFlavors(database, secrets),
        writable=store.writable,
        requests=await requests_of(store, secrets),
    )
    registry = Registry(RelationalPeople(database), log, build_directory(settings))
    return Services(surface, settings, await store.installation(), registry)


def build_directory(settings: Settings) -> Directory | None:
    """The directory that the settings name."""
    if settings.ldap is None:
        return None
    from terrace.drivers.ldap.directory import LdapDirectory, Place

    return LdapDirectory(Place(**{name: getattr(settings.ldap, name) for name in Place.__struct_fields__}))


async def stop(controller: Controller) -> None:
    """Stops the runtime in bounded time: what it drops is taken up again from the intents it left."""
    import asyncio
    from contextlib import suppress

    with suppress(TimeoutError):
        await asyncio.wait_for(controller.stop(), STOPPING)


def reachable(settings: Settings) -> Settings:
    """The settings as far as doors go: a server that only works on stacks has none but its Unix socket."""
    from msgspec.structs import replace

    from terrace.ports.engines import API

    if API in settings.server.roles:
        return settings
    return replace(settings, server=replace(settings.server, listen=""))


def build_store(settings: Settings, secrets: Secrets, clock: Clock) -> RelationalStore:
    """The store that the settings name, not yet open. Only that one is imported."""
    chosen = settings.store
    if chosen.url:
        from terrace.stores.postgres import Address, PostgresStore

        return PostgresStore(Address(chosen.url, chosen.password_file), secrets, patience=chosen.patience)
    from terrace.stores.sqlite import SqliteStore

    return SqliteStore(os.path.join(settings.state, "terrace.db"), secrets, clock)


def build_drivers(settings: Settings, clock: Clock, entropy: Entropy) -> dict[str, Driver]:
    """A driver for each configured provider, and "builtin". Only what is configured is imported.
    DocumentError."""
    from msgspec.structs import replace

    from terrace.drivers.builtin.driver import BuiltinDriver
    from terrace.errors import DocumentError
    from terrace.services.settings import Document, read_struct

    document = Document(settings.text, settings.file)
    drivers: dict[str, Driver] = {}
    for name, provider in settings.providers.items():
        place = ("providers", name)
        if provider.driver not in DRIVERS:
            known = ", ".join(DRIVERS)
            document.blame(
                (*place, "driver"), f'there is no driver "{provider.driver}"', hint=f"known: {known}"
            )
            continue
        kind, make = DRIVERS[provider.driver]()
        chosen = read_struct(document, kind, provider.table, place)
        if chosen is not None:
            longest = settings.tuning.lease * LEASE_SURE
            if chosen.timeout >= longest:
                document.blame(
                    (*place, "timeout"),
                    f"a request may take {chosen.timeout:g} s, but the lease covers less than {longest:g} s",
                    hint=f"make the lease in [tuning] longer than {chosen.timeout / LEASE_SURE:.3g} s",
                )
            catalogue = provider.catalogue
            named = replace(chosen, flavors=catalogue.flavors, images=catalogue.images)
            drivers[name] = make(named, clock)
    if document.problems:
        raise DocumentError(document.problems)
    door = getattr(drivers.get(settings.default_provider), "door", "")
    return {"builtin": BuiltinDriver(clock, entropy, door), **drivers}


def _docker() -> tuple[Any, Callable[[Any, Clock], Driver]]:
    from terrace.drivers.docker.driver import DockerDriver
    from terrace.drivers.docker.settings import DockerSettings

    return DockerSettings, lambda settings, clock: DockerDriver(settings, clock=clock)


def _sim() -> tuple[Any, Callable[[Any, Clock], Driver]]:
    from terrace.drivers.sim.driver import SimDriver
    from terrace.drivers.sim.settings import SimSettings

    def make(settings: SimSettings, clock: Clock) -> Driver:
        if not settings.socket:
            return SimDriver.from_settings(settings, clock)
        from terrace.drivers.sim.remote.driver import RemoteSimDriver

        return RemoteSimDriver(settings)

    return SimSettings, make


DRIVERS = {"docker": _docker, "sim": _sim}
"""Each driver's settings and how to make it, imported when asked for."""


def build_controller(
    settings: Settings,
    store: RelationalStore,
    drivers: dict[str, Driver],
    sources: tuple[Clock, Entropy, Secrets, Telemetry],
) -> Controller:
    """The runtime, tuned as the settings say."""
    import socket

    from terrace.kinds import KINDS
    from terrace.runtime.controller import Controller, Means, Tuning
    from terrace.stores.queries import migrations

    clock, entropy, secrets, telemetry = sources
    said = settings.server
    tuning = Tuning(
        holder=said.name or socket.gethostname(),
        roles=said.roles,
        version=migrations()[-1][0],
        resync=settings.tuning.resync,
        grace=settings.tuning.ghost_grace,
        lease=settings.tuning.lease,
        events_age=settings.limits.events_age,
        events_kept=settings.limits.events_count,
        generations_kept=settings.limits.generations,
        default_provider=settings.default_provider,
        existing={
            name: provider.existing
            for name, provider in settings.providers.items()
            if provider.existing is not None
        },
    )
    return Controller(
        store,
        drivers,
        KINDS,
        Means(clock, entropy, secrets, telemetry),
        tuning,
        store.engines if settings.store.url else None,
    )


def settle_memory() -> None:
    """What was imported and loaded stays: the collector need not look at it again, and looks at the rest less
    often."""
    import gc

    gc.collect()
    gc.freeze()
    gc.set_threshold(25_000, 25, 25)
