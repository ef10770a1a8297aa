"""The door to the packet filter: one listing, one transaction, one step at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec

from terrace.drivers.docker.firewall.inside import FILTER_BRIDGES, Inside, lacking
from terrace.drivers.docker.firewall.table import MARK, Table, name_of, read, skeleton
from terrace.drivers.docker.wire.client import Engine
from terrace.drivers.docker.wire.faults import one_line
from terrace.errors import CapabilityError, TransientError
from terrace.ports.driver import Fence

_USERS = "DOCKER-USER"
_MARKED = ("-m", "mark", "--mark", f"{MARK:#x}/{MARK:#x}", "-j", "ACCEPT")


class Filter:
    """Lists and changes the tables of installations. `lacking` says why it cannot ("" when it can). `used`: there was a
    table when it was last looked at, or nobody has looked yet."""

    def __init__(self, engine: Engine) -> None:
        self.lacking = lacking(engine)
        self.used = not self.lacking
        self.inside = Inside(engine)
        self._engine = engine
        self._turn = asyncio.Lock()

    async def listed(self, installation: str) -> Table:
        """The table of an installation now; an empty one where there is none."""
        if self.lacking:
            return Table(installation)
        try:
            done = await self.inside.run(["nft", "-j", "list", "table", "inet", name_of(installation)])
        except CapabilityError as error:  # it did not run when this began, and turns out to be out of reach
            self.lacking, self.used = error.message, False
            return Table(installation)
        if done.code == 0:
            table = read(installation, msgspec.json.decode(done.out))
        elif "No such file" in done.said:
            table = Table(installation)
        else:
            raise TransientError(f"nft: {one_line(done.said)}")
        self.used = table.there
        return table

    @asynccontextmanager
    async def turn(self, installation: str) -> AsyncIterator[Table]:
        """The table, while nobody else of this process changes it. CapabilityError where it cannot be changed."""
        async with self._turn:
            table = await self.listed(installation)
            if self.lacking:
                raise CapabilityError(
                    self.lacking, hint="run Terrace as root beside the engine, with nftables"
                )
            yield table

    async def change(self, fence: Fence, table: Table, commands: Sequence[str]) -> None:
        """All of `commands` or none, on top of what is always there. TransientError: something is still in use."""
        wanted = [*skeleton(table), *commands]
        if not wanted:
            return
        fence.check(self._engine.timeout)
        await self._see_bridges()
        done = await self.inside.run(["nft", "-f", "-"], "".join(f"{line}\n" for line in wanted))
        if done.code:
            busy = "Resource busy" in done.said or "resource busy" in done.said
            said = one_line(done.said.replace("/dev/stdin:", "line "))
            raise TransientError(f"nft: {said}", code="in-use" if busy else "")
        self.used = True

    async def drop(self, fence: Fence, table: Table) -> None:
        """The whole table, and the rule that lets our mark pass."""
        fence.check(self._engine.timeout)
        await self.inside.run(["nft", "delete", "table", "inet", table.name])
        self.used = False

    async def sees_bridges(self) -> bool:
        """Whether what passes between machines of one network comes by our rules."""
        return await self.inside.setting(FILTER_BRIDGES) == "1"

    async def _see_bridges(self) -> None:
        if await self.sees_bridges():
            return
        if not await self.inside.set(FILTER_BRIDGES, "1"):
            await self.inside.run(["modprobe", "br_netfilter"])
            if not await self.sees_bridges() and not await self.inside.set(FILTER_BRIDGES, "1"):
                raise CapabilityError(
                    "the kernel does not filter what passes between machines of one network",
                    hint="load its module br_netfilter",
                )

    # --- what the engine's own rules would drop

    async def passes(self, table: Table) -> bool:
        """Whether the engine's rules let pass what carries our mark."""
        return (await self.inside.run(["iptables", "-w", "-C", _USERS, *_ours(table)])).code == 0

    async def let_pass(self, fence: Fence, table: Table) -> None:
        """Makes them do so. CapabilityError where the engine has no chain for that."""
        if await self.passes(table):
            return
        fence.check(self._engine.timeout)
        done = await self.inside.run(["iptables", "-w", "-I", _USERS, "1", *_ours(table)])
        if done.code:
            raise CapabilityError(
                f"the engine's rules cannot be told to let traffic pass: {one_line(done.said)}",
                hint="Terrace needs an engine that filters with iptables and has a chain DOCKER-USER",
            )

    async def let_pass_no_more(self, fence: Fence, table: Table) -> None:
        """Takes that back."""
        fence.check(self._engine.timeout)
        await self.inside.run(["iptables", "-w", "-D", _USERS, *_ours(table)])


def _ours(table: Table) -> tuple[str, ...]:
    """The rule of an installation."""
    return ("-m", "comment", "--comment", table.name, *_MARKED)
