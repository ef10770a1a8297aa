"""What Terrace makes by itself: its part of the driver's contract, and what each kind means."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest

from terrace.drivers.builtin.driver import BuiltinDriver
from terrace.drivers.builtin.randoms import CLASSES, Dice
from terrace.drivers.sim.clock import SimEntropy
from terrace.errors import CapabilityError, PermanentError, TransientError
from terrace.kinds import KINDS
from terrace.model.seen import Names, Owner, Seen
from terrace.model.spec import (
    DelaySpec,
    KeyPairSpec,
    NamedSecretSpec,
    NoneSpec,
    RandomStringSpec,
    StackOutputSpec,
    TestResourceSpec,
    ValueSpec,
)
from terrace.model.spec.placement import FlavorSpec, ServerGroupSpec
from terrace.model.spec.signal import AlarmSpec, ConditionSpec, HandleSpec, LaunchSpec, PolicySpec
from terrace.model.spec.software import ConfigSpec, DeployedServerSpec
from terrace.model.step import Receipt, Step, Verb
from terrace.model.value import Secret
from tests.contracts.rig import CountingFence, SteppingClock

SPECS: dict[str, Any] = {
    "RandomString": RandomStringSpec(),
    "KeyPair": KeyPairSpec("mine"),
    "Value": ValueSpec({"a": [1, 2]}),
    "None": NoneSpec({"any": "thing"}),
    "Delay": DelaySpec(minimum=2.0),
    "TestResource": TestResourceSpec(value="v", waits={"create": 1.0}),
    "StackOutput": StackOutputSpec("net", "id", "n-1"),
    "Secret": NamedSecretSpec("db", Secret("x"), 1),
    "WaitConditionHandle": HandleSpec(),
    "WaitCondition": ConditionSpec("h"),
    "ScalingPolicy": PolicySpec("g", 1),
    "LaunchConfiguration": LaunchSpec("debian-12"),
    "Alarm": AlarmSpec(),
    "SoftwareConfig": ConfigSpec("true", "script"),
    "CloudConfig": ConfigSpec("#cloud-config"),
    "MultipartMime": ConfigSpec("MIME-Version: 1.0"),
    "DeployedServer": DeployedServerSpec("bare"),
    "Flavor": FlavorSpec("tiny"),
    "ServerGroup": ServerGroupSpec("near"),
}


class Bench:
    """A driver, a clock, and steps for it."""

    def __init__(self, seed: int = 1) -> None:
        self.clock = SteppingClock()
        self.driver = BuiltinDriver(self.clock, SimEntropy(seed))

    async def apply(self, verb: Verb, kind: str, spec: Any, **more: Any) -> Receipt:
        owner = more.pop("owner", Owner("home", "a" * 20, 1, "digest"))
        return await self.driver.apply(
            Step(verb, kind, owner, Names(path="r"), spec, **more), CountingFence()
        )

    async def finish(self, verb: Verb, kind: str, spec: Any, **more: Any) -> tuple[Seen | None, float]:
        """What was seen at the end, and how many seconds that took."""
        before = self.clock.now()
        receipt = await self.apply(verb, kind, spec, **more)
        while receipt.handle:
            await self.clock.sleep(receipt.look_again)
            receipt = await self.apply(verb, kind, spec, **{**more, "handle": receipt.handle})
        return receipt.seen, self.clock.now() - before

    async def attributes(self, kind: str, spec: Any, **more: Any) -> dict[str, Any]:
        seen, _ = await self.finish(Verb.CREATE, kind, spec, **more)
        assert seen is not None
        return seen.attributes


@pytest.fixture
def bench() -> Bench:
    return Bench()


# ---- the contract, as far as it goes without an outside


def test_every_kind_is_offered_and_recorded(bench: Bench) -> None:
    assert bench.driver.capabilities.kinds == set(SPECS) == bench.driver.capabilities.recorded
    assert bench.driver.capabilities.made == {
        *("RandomString", "KeyPair", "WaitConditionHandle", "ScalingPolicy", "Alarm")
    }


@pytest.mark.parametrize("kind", SPECS)
async def test_a_thing_from_create_to_delete(bench: Bench, kind: str) -> None:
    seen, _ = await bench.finish(Verb.CREATE, kind, SPECS[kind])
    again, _ = await bench.finish(Verb.CREATE, kind, SPECS[kind])
    assert seen is not None
    assert again is not None
    assert seen.provider_id == again.provider_id == f"{'a' * 20}-1"
    assert seen.owner == Owner("home", "a" * 20, 1, "digest")
    assert seen.complete
    promised: Any = KINDS[kind]
    assert set(promised.schema.attributes) <= set(seen.attributes)
    more = {"provider_id": seen.provider_id, "attributes": seen.attributes}
    kept, _ = await bench.finish(Verb.UPDATE, kind, SPECS[kind], **more)
    assert kept is not None
    assert kept.attributes == seen.attributes
    for _ in range(2):
        assert (await bench.finish(Verb.DELETE, kind, None, **more))[0] is None
    assert (await bench.driver.observe("home", ())).items == ()


async def test_what_it_does_not_make(bench: Bench) -> None:
    with pytest.raises(CapabilityError):
        await bench.apply(Verb.CREATE, "Machine", None)


# ---- random strings


@pytest.mark.parametrize("name", CLASSES)
async def test_a_class_gives_its_characters(bench: Bench, name: str) -> None:
    value = (await bench.attributes("RandomString", RandomStringSpec(200, ((name, 1),))))["value"]
    assert len(value) == 200
    assert set(value) <= set(CLASSES[name])


async def test_minimums_hold_and_positions_vary(bench: Bench) -> None:
    spec = RandomStringSpec(12, (("uppercase", 2), ("digits", 3)), (("_-", 4),))
    firsts = set()
    for _ in range(50):
        value = (await bench.attributes("RandomString", spec))["value"]
        assert len(value) == 12
        assert sum(c.isupper() for c in value) >= 2
        assert sum(c.isdigit() for c in value) >= 3
        assert sum(c in "_-" for c in value) >= 4
        firsts.add("u" if value[0].isupper() else "d" if value[0].isdigit() else "s")
    assert firsts == {"u", "d", "s"}


@pytest.mark.parametrize(
    "spec",
    [
        RandomStringSpec(3, (("digits", 4),)),
        RandomStringSpec(3, (("no-such-class", 1),)),
        RandomStringSpec(3, (), (("", 1),)),
        RandomStringSpec(3, ()),
    ],
)
async def test_an_impossible_string_is_refused(bench: Bench, spec: RandomStringSpec) -> None:
    with pytest.raises(PermanentError):
        await bench.apply(Verb.CREATE, "RandomString", spec)


def test_choices_are_fair() -> None:
    dice = Dice(SimEntropy(7))
    counts = Counter(dice.below(10) for _ in range(20_000))
    assert all(1_850 < counts[side] < 2_150 for side in range(10))
    assert {Dice(SimEntropy(7)).below(1) for _ in range(3)} == {0}
    assert max(dice.below(1000) for _ in range(5_000)) > 900


# ---- key pairs


async def test_a_new_pair_is_ed25519_and_its_private_half_is_secret(bench: Bench) -> None:
    made = await bench.attributes("KeyPair", KeyPairSpec("mine"))
    assert re.fullmatch(r"ssh-ed25519 [A-Za-z0-9+/]{68} mine", made["public_key"])
    assert isinstance(made["private_key"], Secret)
    assert made["private_key"].reveal().startswith("-----BEGIN OPENSSH PRIVATE KEY-----")
    assert made["fingerprint"].startswith("SHA256:")
    other = await Bench(seed=2).attributes("KeyPair", KeyPairSpec("mine"))
    assert other["public_key"] != made["public_key"]


async def test_a_given_key_is_taken_as_it_is(bench: Bench) -> None:
    public = (await bench.attributes("KeyPair", KeyPairSpec("x")))["public_key"]
    given = await bench.attributes("KeyPair", KeyPairSpec("mine", public))
    assert given["public_key"] == public
    assert given["private_key"] == ""


@pytest.mark.parametrize(
    "public",
    [
        "nonsense",
        "ssh-ed25519",
        "ssh-ed25519 !!!",
        "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAA",
        "ssh-ed25519 AAAA\nssh-rsa AAAA",
    ],
)
async def test_what_is_no_key_is_refused(bench: Bench, public: str) -> None:
    with pytest.raises(PermanentError):
        await bench.apply(Verb.CREATE, "KeyPair", KeyPairSpec("mine", public))


# ---- waiting and failing


async def test_a_delay_takes_its_time_on_the_actions_named(bench: Bench) -> None:
    spec = DelaySpec(minimum=45.0, actions=("CREATE", "DELETE"))
    seen, took = await bench.finish(Verb.CREATE, "Delay", spec)
    assert took == pytest.approx(45, abs=0.01)
    assert seen is not None
    more = {"provider_id": seen.provider_id, "attributes": seen.attributes}
    assert (await bench.finish(Verb.UPDATE, "Delay", spec, **more))[1] == 0
    gone, took = await bench.finish(Verb.DELETE, "Delay", None, **more)
    assert gone is None
    assert took == pytest.approx(45, abs=0.01)


async def test_jitter_is_drawn_once_per_incarnation(bench: Bench) -> None:
    spec = DelaySpec(minimum=1.0, jitter=10.0, multiplier=2.0)
    times = [(await bench.finish(Verb.CREATE, "Delay", spec))[1] for _ in range(2)]
    assert times[0] == pytest.approx(times[1], abs=0.01)
    others = {
        round((await bench.finish(Verb.CREATE, "Delay", spec, owner=Owner("home", "a" * 20, n)))[1], 3)
        for n in range(20)
    }
    assert len(others) > 15
    assert all(1 <= took <= 21 for took in others)


async def test_a_handle_that_makes_no_sense_ends_the_wait(bench: Bench) -> None:
    receipt = await bench.apply(Verb.CREATE, "Delay", DelaySpec(minimum=5.0), handle="nonsense")
    assert receipt.handle == ""


async def test_a_test_resource_fails_as_asked_and_after_its_wait(bench: Bench) -> None:
    spec = TestResourceSpec(fail=True, waits={"create": 2.0})
    with pytest.raises(PermanentError):
        await bench.finish(Verb.CREATE, "TestResource", spec)
    assert bench.clock.time % 100 == pytest.approx(2, abs=0.01)
    with pytest.raises(TransientError):
        await bench.apply(Verb.CREATE, "TestResource", TestResourceSpec(fail=True, transient=True))


async def test_a_test_resource_shows_its_value_and_waits_when_it_goes(bench: Bench) -> None:
    spec = TestResourceSpec(value=[1], attributes={"extra": "x"}, waits={"delete": 3.0})
    made = await bench.attributes("TestResource", spec)
    assert (made["output"], made["extra"]) == ([1], "x")
    _, took = await bench.finish(Verb.DELETE, "TestResource", None, provider_id="x", attributes=made)
    assert took == pytest.approx(3, abs=0.01)
