"""Two servers reserve from one quota at the same moment, on a real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from terrace.errors import QuotaError
from terrace.model.graph import Graph
from terrace.model.stack import Generation, Source, Stack
from terrace.stores.postgres import Address, PostgresStore
from terrace.stores.relational.quotas import RelationalQuotas
from terrace.stores.relational.sealed.keys import RelationalKeys
from terrace.stores.sealing import Envelope, KeyFile
from tests.contracts.store.samples import FlippedSecrets, HandClock

MOST = 20


@pytest.fixture
async def pair(url: str) -> AsyncIterator[list[PostgresStore]]:
    stores = [PostgresStore(Address(url), FlippedSecrets()) for _ in range(2)]
    for store in stores:
        await store.open()
    yield stores
    for store in stores:
        await store.close()


async def test_two_servers_never_give_more_than_there_is(pair: list[PostgresStore]) -> None:
    """Every machine is asked for at the same time, by new stacks and by those that grow."""
    quotas = RelationalQuotas(pair[0].database)
    await quotas.limit("p", {"machines": MOST})

    async def up(number: int) -> bool:
        wish = Generation(0, Graph(), Source("t"), 1.0, usage={"machines": 3})
        try:
            await pair[number % 2].save_generation(Stack(f"id{number}", "p", f"s{number}", 0), wish, None)
        except QuotaError:
            return False
        return True

    made = await asyncio.gather(*(up(number) for number in range(30)))
    assert sum(made) == MOST // 3
    there = [number for number, one in enumerate(made) if one]
    grown = await asyncio.gather(
        *(pair[number % 2].reserve(f"id{number}", {"machines": 4}) for number in there * 3)
    )
    assert sum(not short for short in grown) >= MOST % 3
    assert (await quotas.usage("p"))["machines"] == MOST


async def test_servers_share_data_keys_and_the_rotation_of_one(url: str, tmp_path: object) -> None:
    """Both begin with an empty database at once, then one of them rotates."""
    clock = HandClock()
    folder = str(tmp_path)
    masters = [KeyFile(f"{folder}/key") for _ in range(2)]
    envelopes = [Envelope(one, clock) for one in masters]
    stores = [PostgresStore(Address(url), envelope) for envelope in envelopes]
    await stores[0].open()
    await stores[1].open()
    keys = [RelationalKeys(store.database, one, clock) for store, one in zip(stores, envelopes, strict=True)]
    sealed = envelopes[0].seal(b"x")
    assert envelopes[1].unseal(sealed) == b"x"
    assert envelopes[0].digest(b"x") == envelopes[1].digest(b"x")
    await keys[0].rotate(delay=30.0)
    await keys[1].refresh()
    clock.time += 31.0
    assert envelopes[1].unseal(envelopes[0].seal(b"y")) == b"y"
    for _ in range(100):
        more = [await one.step() for one in keys]
        if not any(more):
            break
    status = await keys[1].status()
    assert status.rotation is not None
    assert status.rotation.finished
    for store in stores:
        await store.close()
