"""Flavors of projects in tables: ports.Flavors over any database."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from terrace.model.catalogue import Flavor, Offer
from terrace.ports.quota import Said
from terrace.ports.secrets import Secrets
from terrace.stores.encoding import Encoding
from terrace.stores.heads import flavor_gone
from terrace.stores.queries import SQL
from terrace.stores.relational.database import Database, Writer


class RelationalFlavors:
    """Implements ports.Flavors. All that is said of them is said one after the other with the wishes of people
    (facts.hold), for all servers."""

    def __init__(self, database: Database, secrets: Secrets) -> None:
        self._database = database
        self._encoding = Encoding(secrets)

    async def offer(self, project: str) -> Offer:
        return await self._database.read(lambda reader: offered(reader, project))

    async def set(self, project: str, name: str, flavor: Flavor) -> Said:
        def change(writer: Writer, before: Offer) -> Offer:
            row = (project, name, flavor.cpu, flavor.memory, flavor.disk, flavor.pids)
            writer.execute(SQL["flavors.set"], row)
            return msgspec.structs.replace(before, own={**before.own, name: flavor})

        return await self._say(project, name, change)

    async def remove(self, project: str, name: str, *, force: bool = False) -> Said:
        def change(writer: Writer, before: Offer) -> Offer:
            after = flavor_gone(before, name, [] if force else self._users(writer, project, name))
            writer.execute(SQL["flavors.delete"], (project, name))
            return after

        return await self._say(project, name, change)

    async def allow(self, project: str, names: tuple[str, ...] | None) -> Said:
        return await self._say(
            project, "", lambda writer, before: msgspec.structs.replace(before, allowed=names)
        )

    async def _say(self, project: str, name: str, change: Callable[[Writer, Offer], Offer]) -> Said:
        def work(writer: Writer) -> Said:
            writer.execute(SQL["facts.hold"]).fetchall()
            before = offered(writer, project)
            after = change(writer, before)
            used_by = self._users(writer, project, name) if name else []
            allowed = None if after.allowed is None else msgspec.json.encode(after.allowed).decode()
            writer.execute(SQL["flavors.say"], (project, allowed))
            writer.execute(SQL["flavors.retry"], (project,))
            writer.execute(SQL["flavors.ring"], (project,))
            return Said(msgspec.structs.replace(after, version=before.version + 1), tuple(used_by))

        return await self._database.write(work, synced=True)

    def _users(self, reader: Writer, project: str, name: str) -> list[str]:
        """The stacks that use a flavor as they are wanted, or as they last stood and may be wanted again."""
        rows = reader.execute(SQL["flavors.wanted"], (project,)).fetchall()
        lights = [(stack, self._encoding.read_generation(light, None, 0.0, "")) for stack, light in rows]
        return list(dict.fromkeys(stack for stack, light in lights if name in light.flavors))


def offered(reader: Writer, project: str) -> Offer:
    """Which flavors a project may use. The version is read first: what is newer than it is not saved against it."""
    row = reader.execute(SQL["flavors.rule"], (project,)).fetchone()
    if row is None:
        return Offer()
    own = {name: Flavor(float(cpu), *rest) for name, cpu, *rest in _rows(reader, project)}
    return Offer(own, None if row[1] is None else msgspec.json.decode(row[1], type=tuple[str, ...]), row[0])


def _rows(reader: Writer, project: str) -> list[tuple[str, float, int, int, int]]:
    return reader.execute(SQL["flavors.of_project"], (project,)).fetchall()
