"""A database of every earlier schema, as the Terrace of that time left it, and what must be found in it."""

from __future__ import annotations

from pathlib import Path

from tests.contracts.store.samples import a_record, an_event

from terrace.model.value import Secret
from terrace.ports.store import Ruling, Store

OLD = sorted((Path(__file__).parents[2] / "data" / "databases").glob("[0-9]*.sql"))


async def judge(store: Store, schema: int) -> None:
    """Everything that a store of `schema` was given is there, and it can be worked on."""
    shop = await store.find_stack("default", "shop")
    assert shop is not None
    assert (shop.generation, shop.settled) == (2, 1)
    newest = await store.generation(shop.id, 2)
    assert newest is not None
    assert newest.parameters == {"pw": Secret("hush")}
    assert [one.number for one in await store.generations(shop.id)] == [2, 1]
    records = await store.records(shop.id)
    assert [(one.path, one.uid, one.state) for one in records] == [
        (path, f"uid-{path}", a_record().state) for path in ("g/2", "g/10", "web")
    ]
    assert records[0].memory == {"pw": Secret("hush")}
    assert [(event.number, event.kind) for event in await store.events()] == [
        (1, "resource.ready"),
        (2, "two"),
    ]
    assert await store.rulings("local") == [Ruling("local", "c1", "adopted", "u", "s", "web", "Machine")]
    if schema >= 2:
        assert [(one.path, one.what, one.value) for one in await store.directives(shop.id)] == [
            ("web", "size", 3)
        ]
    if schema >= 3:
        assert await store.exports(shop.id) == {"url": "http://x"}
        assert [use.kept for use in await store.uses("default-reader")] == [("http://x",)]
    lease = await store.acquire(f"stack:{shop.id}", "one", 10.0)
    assert lease is not None
    assert lease.epoch >= 1
    await store.publish([an_event("after")])
    assert (await store.events(newest=True, limit=1))[0].number == 3
