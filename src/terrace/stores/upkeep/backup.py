"""Backups: a SQLite file with everything, whatever database it was taken of. And what is put back, or moved."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from terrace.errors import ConflictError
from terrace.stores.migrating import steps
from terrace.stores.relational.database import Writer
from terrace.stores.sqlite.file import SqliteFile, new_file
from terrace.stores.sqlite.store import SqliteStore
from terrace.stores.upkeep.copying import Sum, clear, copy, filled, sums
from terrace.stores.upkeep.ground import Ground, Keys, SqliteGround

LEAP = 1_000_000
"""How far counters go on after what is put back: servers and people know numbers that it does not have."""
_NOBODY = "builtin"


async def backup(ground: Ground, file: Path) -> dict[str, Sum]:
    """Writes everything as it is at one moment into `file`, beside servers too; the sums of what is in it. UserError,
    ConflictError, TransientError."""
    newest = steps()[-1].number
    present = await ground.schema()
    if present != newest:
        what = (
            f"has schema {present:04d}, this Terrace keeps {newest:04d}" if present else "holds nothing yet"
        )
        raise ConflictError(
            f"the database {ground.place} {what}",
            hint="Use the Terrace that its servers run, or bring it up to date: terrace db migrate.",
            code="store-other-schema",
        )
    async with ground.beside() as database:
        with new_file(file) as connection:
            clear(connection)
            await database.read(lambda reader: copy(reader, connection))
            return sums(connection)


async def restore(
    ground: Ground, file: Path, keys: Keys, providers: Iterable[str], *, replace: bool = False
) -> dict[str, Sum]:
    """Puts a backup, also an older Terrace's, in the place of all that there is, and declares that things may be newer
    than it: nothing is deleted or replaced until a person says yes. `providers` are those that the settings name.
    ConflictError: servers use the database, it is not empty (unless `replace`), or the key is another."""
    async with _brought_up(file, keys) as source:
        return await _fill(
            ground, source, keys, replace=replace, after=lambda writer: _declare(writer, providers)
        )


async def move(source: SqliteGround, ground: Ground, keys: Keys) -> dict[str, Sum]:
    """Copies everything from a SQLite database, which no server may use meanwhile, into `ground`, which must be empty;
    the sums, which are the same on both sides. ConflictError."""
    async with source.alone():
        return await _fill(ground, SqliteFile(Path(source.place)), keys)


@asynccontextmanager
async def opened_copy(ground: Ground, keys: Keys) -> AsyncIterator[SqliteStore]:
    """A store over a copy of everything, which goes when the block ends. ConflictError: the key is another."""
    with tempfile.TemporaryDirectory(prefix="terrace-db-") as folder:
        file = Path(folder, "copy.db")
        await backup(ground, file)
        store = keys.store(file)
        await store.open()
        try:
            yield store
        finally:
            await store.close()


async def _fill(
    ground: Ground,
    source: SqliteFile,
    keys: Keys,
    *,
    replace: bool = False,
    after: Callable[[Writer], None] = lambda writer: None,
) -> dict[str, Sum]:
    usual = await _born(keys)

    def work(writer: Writer) -> dict[str, Sum]:
        if not replace and (there := filled(writer) - usual):
            raise ConflictError(
                f"the database {ground.place} is not empty: there are {', '.join(sorted(there))}",
                hint="Name a new, empty database; what is put back may also take the place of it all (--replace).",
                code="store-not-empty",
            )
        with source.reading() as connection:
            clear(writer)
            copy(connection, writer)
            wanted = sums(connection)
        compare(wanted, sums(writer))
        after(writer)
        return wanted

    async with ground.alone() as store:
        return await store.database.write(work, synced=True)


def compare(wanted: dict[str, Sum], found: dict[str, Sum]) -> None:
    """ConflictError when a table holds something else than it should."""
    wrong = [table for table, one in wanted.items() if found[table] != one]
    if wrong:
        raise ConflictError(
            f"the copy differs from what was copied: {', '.join(wrong)}",
            hint="Nothing was changed. Check the database's disk and encoding (UTF8), then try again.",
            code="copy-differs",
        )


async def _born(keys: Keys) -> set[str]:
    """The tables that hold something in a database in which nothing was kept yet."""
    with tempfile.TemporaryDirectory(prefix="terrace-db-") as folder:
        store = keys.store(Path(folder, "new.db"))
        await store.open()
        try:
            return await store.database.read(filled)
        finally:
            await store.close()


@asynccontextmanager
async def _brought_up(file: Path, keys: Keys) -> AsyncIterator[SqliteFile]:
    """A copy of a backup with the newest schema; the backup stays as it is. ConflictError: it is none, or of a newer
    Terrace, or its key is another."""
    if not SqliteFile(file).version():
        raise ConflictError(f"{file} is no backup of Terrace", code="no-backup")
    with tempfile.TemporaryDirectory(prefix="terrace-db-") as folder:
        copied = Path(folder, "copy.db")
        SqliteFile(file).duplicate(copied)
        store = keys.store(copied)
        await store.open()
        await store.close()
        yield SqliteFile(copied)


def _declare(writer: Writer, providers: Iterable[str]) -> None:
    recorded = writer.execute("SELECT DISTINCT provider FROM records").fetchall()
    ruled = writer.execute("SELECT DISTINCT provider FROM ledger").fetchall()
    known = {*providers, *(row[0] for row in (*recorded, *ruled))} - {_NOBODY, ""}
    writer.execute("UPDATE leases SET holder = '', expires = 0, epoch = epoch + ?", (LEAP,))
    writer.execute("UPDATE counters SET value = value + ?", (LEAP,))
    for provider in sorted(known):
        writer.execute("DELETE FROM ledger WHERE provider = ? AND provider_id = ''", (provider,))
        writer.execute(
            "INSERT INTO ledger (provider, provider_id, what, uid, stack, path, kind, incarnation) "
            "VALUES (?, '', 'restored', '', '', '', '', 0)",
            (provider,),
        )
