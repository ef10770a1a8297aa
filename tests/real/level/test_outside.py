"""What happens behind Terrace's back is mended: whatever became of a thing, it ends as it is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.real.level.rig import machine, of

if TYPE_CHECKING:
    from tests.real.level.rig import Terrace

MIB = 1024 * 1024


@pytest.fixture
def pair(terrace: Terrace, tiny_image: str) -> Terrace:
    """A stack `pair`: two machines on one network."""
    on = [{"network": {"get_resource": "net"}}]
    resources = {
        "net": of("Network"),
        "a": machine(tiny_image, networks=on),
        "b": machine(tiny_image, networks=on),
    }
    terrace.up("pair", resources)
    terrace.stands("pair", "net", "a", "b")
    return terrace


@pytest.mark.parametrize(
    "deed", [["stop", "-t", "0"], ["kill"], ["pause"], ["rm", "--force"]], ids=lambda deed: deed[0]
)
def test_a_machine_comes_back(pair: Terrace, deed: list[str]) -> None:
    before, last = pair.resources("pair"), pair.last_event("pair")
    pair.engine.cli(*deed, before["a"]["provider_id"])
    pair.noticed("pair", "a", last)
    pair.stands("pair", "net", "a", "b")
    after = pair.resources("pair")
    removed = deed[0] == "rm"
    assert after["a"]["incarnation"] == before["a"]["incarnation"] + removed
    assert (after["a"]["provider_id"] != before["a"]["provider_id"]) == removed
    assert after["b"]["provider_id"] == before["b"]["provider_id"]
    assert pair("exec", "pair/a", "--", "nslookup", "b").code == 0
    pair.down("pair")


def test_memory_set_by_hand_is_set_back(pair: Terrace) -> None:
    last, a = pair.last_event("pair"), pair.container("pair", "a")
    pair.engine.cli("update", "--memory", "48m", "--memory-swap", "96m", a)
    pair.noticed("pair", "a", last)
    pair.stands("pair", "net", "a", "b")
    assert pair.container("pair", "a") == a
    assert pair.engine.inspect(a)["HostConfig"]["Memory"] == 32 * MIB
    pair.down("pair")


def test_a_network_taken_away_is_given_back(pair: Terrace) -> None:
    last, a = pair.last_event("pair"), pair.container("pair", "a")
    network = pair.resources("pair")["net"]["provider_id"]
    pair.engine.cli("network", "disconnect", network, a)
    pair.noticed("pair", "a", last)
    pair.stands("pair", "net", "a", "b")
    (joined,) = pair.inspect("pair", "a")["NetworkSettings"]["Networks"].values()
    assert joined["NetworkID"] == network
    assert pair("exec", "pair/b", "--", "nslookup", "a").code == 0
    pair.down("pair")


def test_a_network_that_vanished_is_made_again(pair: Terrace) -> None:
    """With everything that was on it."""
    last, before = pair.last_event("pair"), pair.resources("pair")
    network = before["net"]["provider_id"]
    pair.engine.cli("rm", "--force", before["a"]["provider_id"], before["b"]["provider_id"])
    pair.engine.cli("network", "rm", network, check=False)
    pair.noticed("pair", "a", last)
    pair.stands("pair", "net", "a", "b")
    assert pair("exec", "pair/b", "--", "nslookup", "a").code == 0
    pair.down("pair")


def test_everything_at_once(pair: Terrace) -> None:
    last = pair.last_event("pair")
    pair.engine.clear()
    pair.noticed("pair", "b", last)
    pair.stands("pair", "net", "a", "b")
    pair.down("pair")


def test_one_that_always_ends_is_told_with_its_last_words(terrace: Terrace, tiny_image: str) -> None:
    """It is started again with back-off, and the reason has its log."""
    crashing = {"a": machine(tiny_image, command="echo no cheese left; exit 3")}
    terrace.up("crash", crashing, "--no-follow")

    def told() -> bool:
        a = terrace.resources("crash").get("a")
        return a is not None and "no cheese left" in a["why"]

    terrace.until(told, why="the last words of a")
    why = terrace.resources("crash")["a"]["why"]
    assert "crash" in why
    assert "3" in why
    terrace.up("crash", {"a": machine(tiny_image)})
    terrace.stands("crash", "network:stack", "a")
    terrace.down("crash")
