"""The contract of ports.audit.AuditLog, over every database: rows are added, hang together, and go in order."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import pytest

from terrace.ports.audit import ALLOWED, ANCHOR, DENIED, AuditLog, Entry, chained
from terrace.services.gate import Actor, Gate
from terrace.services.people.audit import Audit, Clerk
from terrace.stores.queries import SQL
from terrace.stores.relational.audit import RelationalAudit
from tests.contracts.store.samples import HandClock
from tests.unit.api.rig import Lines

OWNER = Actor("ann", owner=True)


def digest(data: bytes) -> str:
    return hashlib.sha256(b"key" + data).hexdigest()


class Keyed:
    """The part of ports.Secrets that is needed."""

    digest = staticmethod(digest)


@pytest.fixture
def log(store: Any) -> AuditLog:
    return RelationalAudit(store.database, digest)


@pytest.fixture
def audit(store: Any, log: AuditLog) -> Audit:
    return Audit(Gate(store, Lines(), HandClock()), log, Keyed())  # type: ignore[arg-type]  # it only digests


def an_entry(number: int, **more: Any) -> Entry:
    given = {"project": "shop", "subject": f"web{number}", "credential": "c", "source": "192.0.2.1", **more}
    return Entry("ada", "write", ALLOWED, at=float(number), **given)


async def filled(log: AuditLog, count: int = 6) -> None:
    for number in range(1, count + 1):
        await log.append([an_entry(number)])


async def test_rows_are_added_and_read(log: AuditLog, audit: Audit) -> None:
    assert await log.page() == []
    assert await log.head() == 0
    assert (await audit.verify(OWNER)).whole
    await log.append([an_entry(1), an_entry(2, project="lab")], synced=True)
    await log.append([an_entry(3)])
    rows = await log.page()
    assert [row.number for row in rows] == [1, 2, 3]
    assert rows[0].entry == an_entry(1)
    before = ""
    for row in rows:
        assert row.digest == digest(chained(before, row.number, row.entry))
        before = row.digest
    assert [row.number for row in await log.page(after=1, limit=1)] == [2]
    assert [row.number for row in await log.page(newest=True, limit=2)] == [2, 3]
    assert [row.number for row in await log.page(project="shop")] == [1, 3]
    assert [row.number for row in await log.page(project="shop", newest=True, limit=1)] == [3]
    verdict = await audit.verify(OWNER)
    assert (verdict.whole, verdict.count, verdict.first, verdict.last) == (True, 3, 1, 3)
    assert verdict.digest == before


@pytest.mark.parametrize(
    ("how", "at"),
    [
        ("UPDATE audit SET subject = 'other' WHERE number = 3", 3),
        ("UPDATE audit SET actor = 'eve' WHERE number = 1", 1),
        ("UPDATE audit SET outcome = 'denied' WHERE number = 6", 6),
        ("UPDATE audit SET at = 2.5 WHERE number = 3", 3),
        ("DELETE FROM audit WHERE number = 4", 4),
        ("DELETE FROM audit WHERE number = 6", 6),
        ("DELETE FROM audit WHERE number >= 5", 5),
        ("DELETE FROM audit WHERE number = 1", 2),
        ("DELETE FROM audit", 1),
        ("UPDATE audit SET number = -number; UPDATE audit SET number = 7 + number", 1),
        ("UPDATE audit SET number = 100 WHERE number = 2; UPDATE audit SET number = 2 WHERE number = 3; "
         "UPDATE audit SET number = 3 WHERE number = 100", 2),
    ],
)  # fmt: skip
async def test_what_was_changed_removed_or_moved_is_found(
    log: AuditLog, audit: Audit, store: Any, how: str, at: int
) -> None:
    await filled(log)

    def work(writer: Any) -> None:
        for statement in how.split("; "):
            writer.execute(statement)

    await store.database.write(work)
    verdict = await audit.verify(OWNER)
    assert not verdict.whole
    assert verdict.at == at
    assert verdict.fault


async def test_a_row_that_somebody_added_is_found(log: AuditLog, audit: Audit, store: Any) -> None:
    await filled(log, 2)
    forged = hashlib.sha256(b"guess").hexdigest()
    values = (3, 3.0, "eve", "", "", "write", "shop", "web", ALLOWED, forged)
    await store.database.write(lambda writer: writer.execute(SQL["audit.insert"], values))
    verdict = await audit.verify(OWNER)
    assert (verdict.whole, verdict.at) == (False, 3)


async def test_a_log_that_was_made_anew_is_known_by_a_row_kept_elsewhere(
    log: AuditLog, audit: Audit, store: Any
) -> None:
    await filled(log)
    kept = await audit.verify(OWNER)
    known = f"{kept.last}:{kept.digest}"
    await filled(log, 2)
    assert (await audit.verify(OWNER, known)).whole

    def again(writer: Any) -> None:
        writer.execute("DELETE FROM audit")
        writer.execute("UPDATE counters SET value = 0 WHERE name = 'audit'")

    await store.database.write(again)
    for number in range(1, 9):
        await log.append([an_entry(number, source="192.0.2.9")])
    assert (await audit.verify(OWNER)).whole
    verdict = await audit.verify(OWNER, known)
    assert (verdict.whole, verdict.at) == (False, 6)


async def test_the_oldest_are_let_go_and_the_rest_still_holds(log: AuditLog, audit: Audit) -> None:
    await filled(log)
    assert await log.let_go(4.0, 100.0) == 3
    rows = await log.page()
    assert [row.number for row in rows] == [4, 5, 6, 7]
    assert (rows[-1].entry.outcome, rows[-1].entry.subject, rows[-1].entry.at) == (ANCHOR, "3", 100.0)
    verdict = await audit.verify(OWNER)
    assert (verdict.whole, verdict.first, verdict.last) == (True, 4, 7)
    assert await log.let_go(4.0, 101.0) == 0
    await log.append([an_entry(200)])
    assert await log.let_go(6.5, 102.0) == 3
    assert [row.number for row in await log.page()] == [7, 8, 9]
    assert (await audit.verify(OWNER)).whole
    assert await log.let_go(1000.0, 1001.0) == 3
    assert [row.entry.outcome for row in await log.page()] == [ANCHOR]
    assert (await audit.verify(OWNER)).whole


async def test_what_is_taken_from_before_an_anchor_is_found(log: AuditLog, audit: Audit, store: Any) -> None:
    await filled(log)
    await log.let_go(3.0, 100.0)
    await store.database.write(lambda writer: writer.execute("DELETE FROM audit WHERE number = 3"))
    verdict = await audit.verify(OWNER)
    assert (verdict.whole, verdict.at) == (False, 4)


async def test_many_write_at_once(log: AuditLog, audit: Audit) -> None:
    clerks = [Clerk(log) for _ in range(3)]
    await asyncio.gather(*(clerks[one % 3].note(an_entry(one)) for one in range(120)))
    verdict = await audit.verify(OWNER)
    assert (verdict.whole, verdict.count) == (True, 120)


async def test_nobody_fills_the_log_by_knocking(log: AuditLog) -> None:
    clerk = Clerk(log)
    for number in range(400):
        await clerk.note(Entry("eve", "read", DENIED, "shop", credential="e", at=1.0 + number / 100))
        await clerk.note(Entry("ada", "write", ALLOWED, "shop", credential="a", at=1.0 + number / 100))
    rows = await log.page()
    assert sum(row.entry.outcome == ALLOWED for row in rows) == 400
    assert sum(row.entry.outcome == DENIED for row in rows) == 203


async def test_a_clerk_hands_on_what_goes_wrong(log: AuditLog) -> None:
    class Broken:
        async def append(self, entries: Any, *, synced: bool = False) -> None:
            raise OSError("full")

    clerk = Clerk(Broken())  # type: ignore[arg-type]  # it only appends
    done = await asyncio.gather(*(clerk.note(an_entry(one)) for one in range(3)), return_exceptions=True)
    assert [type(one) for one in done] == [OSError] * 3


def test_no_statement_changes_a_row() -> None:
    """Append-only: rows are inserted, and only what an anchor covers is deleted."""
    statements = [text for name, text in SQL.items() if name.startswith("audit.")]
    everywhere = Path(__file__).resolve().parents[3] / "src" / "terrace"
    for file in everywhere.rglob("*.sql"):
        if file.name != "audit.sql" and "migrations" not in file.parts:
            assert " audit " not in file.read_text(encoding="utf-8"), file
    assert not [text for text in statements if "UPDATE audit" in text]
    deleting = [text for text in statements if "DELETE" in text]
    assert len(deleting) == 1
    assert "outcome = 'anchor'" in deleting[0]
