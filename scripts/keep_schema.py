"""Keeps a database of the newest schema under tests/data/databases, as text: before a migration is added, so that the
tests can bring such a database up to date ever after. What is in it is what tests/contracts/store/old.py looks for.

usage: keep_schema.py"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


async def fill(path: Path) -> None:
    """A store at `path`, in which a little of everything happened."""
    from tests.contracts.store.samples import (
        FlippedSecrets,
        HandClock,
        Worker,
        a_generation,
        a_record,
        a_stack,
        an_event,
    )

    from terrace.model.graph import Name, Use
    from terrace.model.stack import Directive
    from terrace.model.value import Secret
    from terrace.ports.store import Ruling
    from terrace.stores.sqlite import SqliteStore

    store = SqliteStore(path, FlippedSecrets(), HandClock())
    await store.open()
    shop, reader = await Worker.of(store), await Worker.of(store, "reader")
    await store.save_generation(a_stack(), a_generation(parameters={"pw": Secret("hush")}), 1)
    await shop.write(
        a_record("web"),
        a_record("g/2", memory={"pw": Secret("hush")}),
        a_record("g/10"),
        events=(an_event(message="first"), an_event("two", stack=shop.stack.id)),
        rulings=(Ruling("local", "c1", "adopted", "u", "s", "web", "Machine"),),
        settled=1,
        settled_at=5.0,
    )
    await store.direct([Directive(shop.stack.id, "web", "size", 3)])
    await shop.write(head=await store.stack(shop.stack.id), exports={"url": "http://x"})
    used = Use("in", Name("default", "shop", "url"), ("http://x",))
    await reader.write(head=await store.stack(reader.stack.id), uses=(used,))
    await store.close()


def main() -> None:
    """Writes the file, and says which."""
    from terrace.stores.queries import migrations

    target = ROOT / "tests" / "data" / "databases" / f"{migrations()[-1][0]:04d}.sql"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "terrace.db")
        asyncio.run(fill(path))
        with closing(sqlite3.connect(path)) as plain:
            target.write_text("\n".join(plain.iterdump()) + "\n", encoding="utf-8")
    print(f"wrote {target.relative_to(ROOT)}")


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "src")]
    main()
