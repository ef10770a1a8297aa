"""The audit log: who asked for what, and whether it was allowed; and whether anybody changed that later."""

from __future__ import annotations

import asyncio

import msgspec

from terrace.errors import UserError
from terrace.ports.audit import ANCHOR, DENIED, AuditLog, Entry, Row, chained
from terrace.ports.secrets import Secrets
from terrace.services.gate import Actor, Gate, Right
from terrace.services.signals.rate import Rate

BATCH = 2000
REFUSALS = 200.0


class Verdict(msgspec.Struct, frozen=True):
    """How a look through the whole log came out: rows from `first` to `last`, `count` of them; `digest` is the last
    one's. `fault`: what is wrong, at row `at` ("": nothing)."""

    whole: bool
    count: int
    first: int
    last: int
    digest: str
    fault: str = ""
    at: int = 0


class Clerk:
    """Implements services.gate.Witness: writes entries, those of one moment together. Of what is denied to one
    credential, or to one place, it writes the first REFUSALS and then one each second: nobody fills the log by
    knocking."""

    def __init__(self, log: AuditLog) -> None:
        self._log = log
        self._denied = Rate(REFUSALS, 1.0)
        self._waiting: list[tuple[Entry, bool, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def note(self, entry: Entry, *, synced: bool = False) -> None:
        """Adds an entry, committed when it returns."""
        if entry.outcome == DENIED and self._denied.take(entry.credential or entry.source, entry.at):
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, synced, future))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        await future

    async def _write(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                try:
                    synced = any(one for _, one, _ in batch)
                    await self._log.append([entry for entry, _, _ in batch], synced=synced)
                except BaseException as error:
                    for _, _, future in batch:
                        if not future.done():
                            future.set_exception(error)
                    if not isinstance(error, Exception):
                        raise
                else:
                    for _, _, future in batch:
                        if not future.done():
                            future.set_result(None)
        finally:
            self._writing = None


class Audit:
    """Use cases about the audit log."""

    def __init__(self, gate: Gate, log: AuditLog, secrets: Secrets) -> None:
        self._gate = gate
        self._log = log
        self._secrets = secrets

    async def listing(
        self, actor: Actor, project: str = "", *, after: int = 0, limit: int = 1000, newest: bool = False
    ) -> list[Row]:
        """Rows numbered above `after`, oldest first; or the `newest` ones. Of one project for those who say who its
        members are, of all ("") for those who see the installation."""
        if project:
            await self._gate.admit(actor, Right.MEMBERS, project, "audit")
        else:
            await self._gate.admit(actor, Right.INSPECT)
        return await self._log.page(after=after, limit=limit, project=project or None, newest=newest)

    async def verify(self, actor: Actor, known: str = "") -> Verdict:
        """Looks through the whole log: a row that was changed, taken out, added or moved is found. `known`:
        NUMBER:DIGEST of a row as it once was, which finds even that the log was made anew from there. UserError when it
        is not of that form."""
        await self._gate.admit(actor, Right.INSPECT)
        number, _, digest = known.partition(":")
        if known and not (number.isdecimal() and digest):
            hint = "what an earlier `terrace audit verify` said"
            raise UserError("a known row is NUMBER:DIGEST", code="invalid-request", hint=hint)
        before, last, first = "", 0, 0
        found: Verdict | None = None
        seen = ""
        head = await self._log.head()  # before the rows: more may come while they are read
        while rows := await self._log.page(after=last, limit=BATCH):
            for row in rows:
                if not first:
                    first, last = row.number, row.number - 1
                    before = "" if first == 1 else await self._anchored(last)
                found = found or self._fault(row, before, last)
                before, last = row.digest, row.number
                if known and row.number == int(number):
                    seen = row.digest
            await asyncio.sleep(0)  # a long log: others have their turn
        count = last - first + 1 if last else 0
        fault, at = ("", 0) if found is None else (found.fault, found.at)
        if not fault and last < head:
            fault, at = f"rows from {last + 1} to {head} are missing at the end", last + 1
        if not fault and known and seen != digest:
            fault, at = f"row {number} is not the one that is known, or no longer there", int(number)
        return Verdict(not fault, count, first, last, before, fault, at)

    def _fault(self, row: Row, before: str, last: int) -> Verdict | None:
        if row.number != last + 1:
            missing = f"rows from {last + 1} to {row.number - 1} are missing"
            return Verdict(False, 0, 0, 0, "", missing, last + 1)
        if row.digest != self._secrets.digest(chained(before, row.number, row.entry)):
            return Verdict(False, 0, 0, 0, "", f"row {row.number} is not what was written", row.number)
        return None

    async def _anchored(self, number: int) -> str:
        """The digest of the last row that was let go, as an anchor keeps it; "" when none does."""
        after = 0
        while rows := await self._log.page(after=after, limit=BATCH):
            for row in rows:
                if row.entry.outcome == ANCHOR and row.entry.subject == str(number):
                    return row.entry.right
            after = rows[-1].number
        return ""
