"""What `terrace db` does, in the server's program: the command line only says what is wanted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from terrace.errors import UserError
from terrace.stores.migrating import steps
from terrace.stores.upkeep.backup import backup, move, restore
from terrace.stores.upkeep.checking import check
from terrace.stores.upkeep.copying import Sum
from terrace.stores.upkeep.ground import Ground, Keys, SqliteGround

USAGE = "usage: terrace serve --db check | migrate | backup FILE | restore FILE [--replace] | move URL [PASSWORD-FILE]"


async def run(
    words: Sequence[str], ground: Ground, keys: Keys, providers: Iterable[str]
) -> tuple[bool, list[str]]:
    """Does what `words` say to `ground`: whether all is well, and what to tell. TerraceError."""
    match words:
        case ["check"]:
            report = await check(ground, keys)
            faults = [f"fault         {fault}" for fault in report.faults]
            return not faults, [*report.lines, *(faults or ["all is well"])]
        case ["migrate"]:
            return True, [await _migrate(ground)]
        case ["backup", file]:
            made = await backup(ground, Path(file))
            return True, [f"{ground.place} is in {file}: {_size(made)}", *_KEY]
        case ["restore", file, *flags] if set(flags) <= {"--replace"}:
            put = await restore(ground, Path(file), keys, providers, replace=bool(flags))
            return True, [f"{file} is in {ground.place}: {_size(put)}", *_DOUBT]
        case ["move", url, *rest] if len(rest) <= 1:
            return True, await _move(ground, keys, url, *rest)
        case _:
            raise UserError(USAGE)


_KEY = [
    "Keep the key file, too (the file `key` in the state folder): without it no secret in the backup can be read."
]
_DOUBT = [
    "Start the server. Until `terrace server accept-restore` nothing is deleted or replaced: what there is may be "
    "newer than what was put back.",
]


async def _migrate(ground: Ground) -> str:
    before, newest = await ground.schema(), steps()[-1].number
    if before >= newest:
        return f"{ground.place} is up to date: schema {before:04d}"
    async with ground.migrating():
        return f"{ground.place}: schema {before:04d} -> {newest:04d}"


async def _move(ground: Ground, keys: Keys, url: str, password_file: str = "") -> list[str]:
    from terrace.stores.postgres import Address
    from terrace.stores.upkeep.postgres import PostgresGround

    if not isinstance(ground, SqliteGround):
        raise UserError(
            f"everything is in {ground.place} already",
            hint="From one PostgreSQL to another: terrace db backup, then restore.",
            code="store-not-sqlite",
        )
    target = PostgresGround(Address(url, password_file), keys)
    moved = await move(ground, target, keys)
    lines = [f"{table:<16}{one.rows:>9}  {one.digest[:16]}" for table, one in moved.items() if one.rows]
    said = f'password_file = "{password_file}"' if password_file else ""
    return [
        *lines,
        f"everything of {ground.place} is in {target.place}, the same on both sides",
        "Now say so in server.toml, and start the server:",
        "[store]",
        f'url = "{url}"',
        *([said] if said else []),
    ]


def _size(made: dict[str, Sum]) -> str:
    stacks, records, events = (made[table].rows for table in ("stacks", "records", "events"))
    return f"{stacks} stacks, {records} records, {events} events"
