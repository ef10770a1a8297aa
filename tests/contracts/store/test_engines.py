"""Engines that share a store: over every store, the same."""

from __future__ import annotations

import asyncio

import pytest
from tests.contracts.store.samples import HandClock, a_generation, a_stack

from terrace.model.event import Event
from terrace.model.seen import Ghost, Owner, Seen
from terrace.model.stack import Directive, Lease, Stack
from terrace.model.value import Secret
from terrace.ports.engines import API, ENGINE, KEPT, Engines, Member, Published
from terrace.ports.store import Commit, Store

LEASE = 10.0


@pytest.fixture
def engines(store: Store) -> Engines:
    found: Engines = store.engines  # type: ignore[attr-defined]  # stores that can be shared have it
    return found


async def join(engines: Engines, *names: str) -> None:
    for name in names:
        await engines.join(Member(name, name, (API, ENGINE), 6), LEASE)


async def stacks(store: Store, *names: str) -> list[str]:
    return [(await store.save_generation(a_stack(name), a_generation(), 0)).id for name in names]


async def test_a_member_lives_as_long_as_it_speaks(engines: Engines, clock: HandClock) -> None:
    await join(engines, "a", "b")
    assert [(one.name, one.roles, one.version, one.draining) for one in await engines.members()] == [
        ("a", (API, ENGINE), 6, False),
        ("b", (API, ENGINE), 6, False),
    ]
    clock.time += 9.0
    said = await engines.beat("a", LEASE, 3)
    assert said is not None
    assert {one.id: one.holds for one in said.members} == {"a": 3, "b": 0}
    clock.time += 1.5
    said = await engines.beat("a", LEASE, 3)
    assert said is not None
    assert [one.id for one in said.members] == ["a"]
    assert await engines.beat("b", LEASE, 0) is None
    assert await engines.claim("b", 5) == []
    assert await engines.take("b", "provider:x/") is None


async def test_stacks_are_claimed_once_and_epochs_only_rise(
    store: Store, engines: Engines, clock: HandClock
) -> None:
    await join(engines, "a", "b")
    await stacks(store, "one", "two", "three")
    said = await engines.beat("a", LEASE, 0)
    assert said is not None
    assert (said.stacks, said.free) == (3, 3)
    first = await engines.claim("a", 2)
    second = await engines.claim("b", 5)
    assert len(first) == 2
    assert {lease.scope for lease in (*first, *second)} == {
        f"stack:default-{n}" for n in ("one", "two", "three")
    }
    assert {lease.epoch for lease in (*first, *second)} == {1}
    assert await engines.claim("a", 5) == []
    await engines.give(second)
    (again,) = await engines.claim("a", 5)
    assert (again.scope, again.epoch) == (second[0].scope, 2)
    await engines.give(second)
    assert await engines.claim("b", 5) == [], "what was given once is not given again"


async def test_what_the_dead_held_is_free_and_their_commits_are_refused(
    store: Store, engines: Engines, clock: HandClock
) -> None:
    await join(engines, "a", "b")
    (stack,) = await stacks(store, "shop")
    (lease,) = await engines.claim("a", 5)
    assert await store.commit([Commit(stack, lease.epoch, events=(Event("x", 1.0, stack=stack),))]) == [True]
    clock.time += 9.0
    await engines.beat("b", LEASE, 0)
    assert await engines.claim("b", 5) == []
    clock.time += 1.5
    await engines.beat("b", LEASE, 0)
    (taken,) = await engines.claim("b", 5)
    assert taken.epoch == lease.epoch + 1
    assert await store.commit([Commit(stack, lease.epoch), Commit(stack, taken.epoch)]) == [False, True]


async def test_who_joins_again_under_its_id_holds_nothing(store: Store, engines: Engines) -> None:
    await join(engines, "a", "b")
    (stack,) = await stacks(store, "shop")
    (lease,) = await engines.claim("a", 5)
    await join(engines, "a")
    assert await store.commit([Commit(stack, lease.epoch)]) == [False]
    (taken,) = await engines.claim("b", 5)
    assert taken.epoch == 2


async def test_who_leaves_holds_nothing(store: Store, engines: Engines) -> None:
    await join(engines, "a", "b")
    await stacks(store, "shop")
    assert len(await engines.claim("a", 5)) == 1
    await engines.leave("a")
    assert [one.id for one in await engines.members()] == ["b"]
    assert len(await engines.claim("b", 5)) == 1


async def test_a_scope_is_taken_by_one_and_given_to_it_again(engines: Engines) -> None:
    await join(engines, "a", "b")
    lease = await engines.take("a", "provider:x/")
    assert lease == Lease("provider:x/", "a", 1, 0.0)
    assert await engines.take("a", "provider:x/") == lease
    assert await engines.take("b", "provider:x/") is None


async def test_two_that_claim_at_once_share(store: Store, engines: Engines) -> None:
    await join(engines, "a", "b")
    await stacks(store, *(f"s{number}" for number in range(20)))
    both = await asyncio.gather(engines.claim("a", 15), engines.claim("b", 15))
    more = await asyncio.gather(engines.claim("a", 15), engines.claim("b", 15))
    scopes = [lease.scope for leases in (*both, *more) for lease in leases]
    assert sorted(scopes) == sorted({f"stack:default-s{number}" for number in range(20)})


async def test_draining_is_told_with_the_members(engines: Engines) -> None:
    await join(engines, "a")
    assert await engines.drain("a", True)
    assert not await engines.drain("nobody", True)
    (member,) = await engines.members()
    assert member.draining
    assert not member.works
    await join(engines, "a")
    assert [one.works for one in await engines.members()] == [True]


async def test_every_wish_rings_for_its_stack(store: Store, engines: Engines) -> None:
    (quiet,) = await stacks(store, "quiet")
    await join(engines, "a", "b")
    assert await engines.waiting(quiet) == 0, "nobody was there to hear"
    (shop,) = await stacks(store, "shop")
    await engines.claim("a", 5)

    async def heard(wish: str) -> None:
        news = await engines.news("a")
        assert [stack for stack, _ in news.woken] == [shop], wish
        assert (await engines.news("b")).woken == ()
        assert await engines.waiting(shop) == news.woken[0][1]
        found = await store.desired("default", shop)
        assert found is not None
        assert found.mark == news.woken[0][1], "whoever reads it now knows that it was rung for that"
        await engines.heeded(news.woken)
        assert await engines.waiting(shop) == 0
        assert (await engines.news("a")).woken == ()

    await heard("a first generation")
    await store.save_generation(a_stack("shop"), a_generation(), 1)
    await heard("a second generation")
    await store.bump_retries(shop)
    await heard("retry")
    await store.mark_forget(shop)
    await heard("forget")
    await store.rename(shop, "store")
    await heard("rename")
    await store.direct([Directive(shop, "web", "taint", 1), Directive(shop, "web", "restart", 1)])
    await heard("directives")
    await engines.ring([shop])
    await heard("a ring")


async def test_what_comes_after_it_was_read_is_not_taken_as_heard(store: Store, engines: Engines) -> None:
    await join(engines, "a")
    (shop,) = await stacks(store, "shop")
    await engines.claim("a", 5)
    before = (await engines.news("a")).woken
    await store.bump_retries(shop)
    mark = await engines.waiting(shop)
    await engines.heeded(before)
    assert await engines.waiting(shop, mark) == mark
    assert (await engines.news("a")).woken == ((shop, mark),)
    assert await engines.waiting(shop, before[0][1]) == 0


async def test_readers_are_rung_for_with_the_commit(store: Store, engines: Engines) -> None:
    from terrace.model.graph import Name, Use

    await join(engines, "a")
    source, reader = await stacks(store, "source", "reader")
    leases = {lease.scope: lease.epoch for lease in await engines.claim("a", 5)}
    await engines.heeded((await engines.news("a")).woken)
    heads = {one.id: one for one in await store.stacks()}
    uses = (Use("in", Name("default", "source", "url")),)
    epoch = leases[f"stack:{reader}"]
    assert await store.commit([Commit(reader, epoch, head=heads[reader], uses=uses)]) == [True]
    epoch = leases[f"stack:{source}"]
    assert await store.commit([Commit(source, epoch, head=heads[source], exports={"url": "x"})]) == [True]
    assert [stack for stack, _ in (await engines.news("a")).woken] == [reader]


def thing(name: str, **more: object) -> Seen:
    return Seen("Machine", name, Owner("home", f"u-{name}", 1), attributes={"key": Secret(name), **more})


async def test_what_was_listed_is_read_by_others_as_far_as_it_is_new(engines: Engines) -> None:
    await join(engines, "a", "b")
    lease = await engines.take("a", "provider:x/")
    assert lease is not None
    listing = Published("x", started=5.0, answered=2, restored=True, adopted=("m9",))
    ghosts = [Ghost("x", thing("m2"), 4.0, "it holds data")]
    assert await engines.publish(lease, listing, [("m1", thing("m1")), ("m2", thing("m2"))], ghosts)
    said, rows = await engines.sightings("x", 0)
    assert said == Published("x", 1, 5.0, 0, 2, "", 0.0, True, ("m9",))
    assert rows == [("m1", thing("m1")), ("m2", thing("m2"))]
    assert await engines.ghosts("x") == ghosts
    assert await engines.publish(lease, Published("x", started=6.0), [("m1", None)], [])
    said, rows = await engines.sightings("x", 1)
    assert (said.number, rows) == (2, [("m1", None)])
    assert await engines.ask("x") == 1
    (told,) = (await engines.news("b")).listings
    assert (told.provider, told.number, told.asked, told.answered) == ("x", 2, 1, 0)


async def test_only_the_holder_publishes(engines: Engines, clock: HandClock) -> None:
    await join(engines, "a", "b")
    stale = await engines.take("a", "provider:x/")
    assert stale is not None
    clock.time += 11.0
    await join(engines, "b")
    await engines.beat("b", LEASE, 0)
    assert await engines.take("b", "provider:x/") is not None
    assert not await engines.publish(stale, Published("x"), [("m1", thing("m1"))], [])
    assert (await engines.sightings("x", 0))[1] == []


async def test_what_went_away_is_forgotten_in_the_end(engines: Engines) -> None:
    await join(engines, "a")
    lease = await engines.take("a", "provider:x/")
    assert lease is not None
    await engines.publish(lease, Published("x"), [("m1", thing("m1"))], [])
    await engines.publish(lease, Published("x"), [("m1", None), ("m2", thing("m2"))], [])
    assert (await engines.sightings("x", 0))[1] == [("m1", None), ("m2", thing("m2"))]
    for _ in range(KEPT + 1):
        await engines.publish(lease, Published("x"), [], [])
    assert [key for key, seen in (await engines.sightings("x", 0))[1] if seen] == ["m2"]


async def test_a_trouble_is_told(engines: Engines) -> None:
    await join(engines, "a")
    lease = await engines.take("a", "provider:x/")
    assert lease is not None
    await engines.publish(lease, Published("x", why="it does not answer", since=7.0), [], [])
    said, _ = await engines.sightings("x", 0)
    assert (said.why, said.since) == ("it does not answer", 7.0)


async def test_whose_a_uid_is(store: Store, engines: Engines) -> None:
    from tests.contracts.store.samples import a_record

    record = a_record("web")
    await store.save_generation(Stack("s1", "default", "shop", 0), a_generation(), 0, [record])
    assert await engines.whose(record.uid) == "s1"
    assert await engines.whose("nobody") == ""
