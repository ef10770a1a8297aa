"""ports.vault.Vault, over every implementation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from terrace.errors import ConflictError, NotFoundError
from terrace.model.graph import Graph, Name, Use
from terrace.model.stack import Generation, Source, Stack
from terrace.model.value import VAULT, Secret
from terrace.ports.store import Store
from terrace.ports.vault import Vault, Version
from terrace.stores.memory import MemoryStore
from terrace.stores.memory_vault import MemoryVault
from terrace.stores.relational.secrets import RelationalVault
from terrace.stores.sqlite import SqliteStore
from tests.contracts.store.samples import FlippedSecrets, HandClock

P = "default"


class Pair:
    """A vault, and the store whose stacks read it."""

    def __init__(self, store: Store, vault: Vault, clock: HandClock) -> None:
        self.store, self.vault, self.clock = store, vault, clock

    async def reader(self, name: str, secret: str) -> None:
        """A stack that reads a secret."""
        graph = Graph(uses=(Use("s", Name("", VAULT, secret)),))
        await self.store.save_generation(
            Stack(f"id-{name}", P, name, 0), Generation(0, graph, Source("t"), 1.0), None
        )


@pytest.fixture(params=["memory", "sqlite"])
async def pair(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Pair]:
    clock, secrets = HandClock(), FlippedSecrets()
    if request.param == "memory":
        memory = MemoryStore(secrets, clock)
        await memory.open()
        yield Pair(memory, MemoryVault(memory), clock)
        await memory.close()
    else:
        file = SqliteStore(tmp_path / "state" / "terrace.db", secrets, clock)
        await file.open()
        yield Pair(file, RelationalVault(file.database, secrets, clock), clock)
        await file.close()


async def test_versions_are_counted_and_only_the_newest_is_kept(pair: Pair) -> None:
    assert await pair.vault.value(P, "db") is None
    first = pair.clock.now()
    assert (await pair.vault.put(P, "db", "one", "ann")).version == 1
    assert (await pair.vault.put(P, "db", "two", "bob")).version == 2
    (kept,) = await pair.vault.listing(P)
    assert kept.versions == (Version(2, "bob", first), Version(1, "ann", first))
    assert await pair.vault.value(P, "db") == Secret("two")


async def test_projects_do_not_see_each_other(pair: Pair) -> None:
    await pair.vault.put(P, "db", "one", "ann")
    assert await pair.vault.listing("other") == []
    assert await pair.vault.value("other", "db") is None
    with pytest.raises(NotFoundError):
        await pair.vault.remove("other", "db")


async def test_stacks_read_it_and_are_asked_for_again(pair: Pair) -> None:
    await pair.vault.put(P, "db", "one", "ann")
    await pair.reader("shop", "db")
    await pair.reader("blog", "other")
    (found,) = await pair.store.imports("id-shop", [Name(P, VAULT, "db")])
    assert found.value == ({"value": Secret("one"), "version": 1},)
    stored = await pair.vault.put(P, "db", "two", "ann")
    assert stored.stacks == ("id-shop",)
    heads = {stack.name: stack.retries for stack in await pair.store.stacks(P)}
    assert heads == {"shop": 1, "blog": 0}
    (missing,) = await pair.store.imports("id-blog", [Name(P, VAULT, "other")])
    assert (missing.value, "terrace secret set other" in missing.why) == ((), True)


async def test_one_in_use_is_not_removed_unless_forced(pair: Pair) -> None:
    await pair.vault.put(P, "db", "one", "ann")
    await pair.reader("shop", "db")
    with pytest.raises(ConflictError, match="shop"):
        await pair.vault.remove(P, "db")
    assert (await pair.vault.remove(P, "db", force=True)).stacks == ("id-shop",)
    assert await pair.vault.listing(P) == []
    assert (await pair.vault.put(P, "db", "new", "ann")).version == 1


async def test_they_come_in_pages_by_name(pair: Pair) -> None:
    for name in ("db", "tls", "db.2", "a_b"):
        for value in ("one", "two"):
            await pair.vault.put(P, name, value, "ann")
        await pair.vault.put("other", name, "x", "ann")
    await pair.reader("shop", "db.2")
    await pair.reader("blog", "tls")

    async def page(**wanted: Any) -> dict[str, tuple[str, ...]]:
        found = await pair.vault.listing(P, **wanted)
        assert all([version.number for version in one.versions] == [2, 1] for one in found)
        return {one.name: one.used_by for one in found}

    assert await page() == {"a_b": (), "db": (), "db.2": ("shop",), "tls": ("blog",)}
    assert list(await page()) == await pair.vault.names(P) == ["a_b", "db", "db.2", "tls"]
    assert await page(limit=2) == {"a_b": (), "db": ()}
    assert await page(limit=2, after="db") == {"db.2": ("shop",), "tls": ("blog",)}
    assert await page(name="db") == {"db": (), "db.2": ("shop",)}
    assert await page(name="db", after="db") == {"db.2": ("shop",)}
    assert await page(name="a%") == await page(after="tls") == {}
    assert await pair.vault.names("none") == []
