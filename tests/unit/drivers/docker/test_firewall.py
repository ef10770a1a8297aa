"""The packet filter's table: rules as nftables says them, listings, seals, guards; and what is said without it."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from terrace.drivers.docker.driver import DockerDriver
from terrace.drivers.docker.firewall import floating, groups, guards, inside, routers
from terrace.drivers.docker.firewall.rules import rendered
from terrace.drivers.docker.firewall.table import (
    Line,
    Table,
    id_of,
    key,
    key_of,
    mark,
    provider_id,
    read,
    seal,
    skeleton,
)
from terrace.drivers.docker.settings import DockerSettings
from terrace.errors import CapabilityError, PermanentError, TransientError
from terrace.model.plan import Verdict
from terrace.model.seen import Owner, Seen
from terrace.model.spec.firewall import Rule, SecurityGroupRuleSpec, SecurityGroupSpec
from terrace.model.spec.router import FloatingIPSpec, RouterGatewaySpec, RouterInterfaceSpec, RouterSpec
from terrace.runtime.system import SystemClock

HOME = "home"
ONE = Owner(HOME, "one", 1, "d1")
TWO = Owner(HOME, "two", 3, "d2")


class Kernel:
    """Does to a Table what nftables would do to its own, for the few commands that are used."""

    def __init__(self) -> None:
        self.table = Table(HOME, {}, {}, {})
        self.handle = 0

    def do(self, commands: list[str]) -> Table:
        for command in [*skeleton(self.table), *commands]:
            self._do(command)
        return self.table

    def _do(self, command: str) -> None:
        verb, what, _, table, *rest = command.split(" ")
        assert what == "table" or table == self.table.name
        chains, sets, maps = self.table.chains, self.table.sets, self.table.maps
        match (verb, what, rest):
            case ("add", "table", _):
                pass
            case ("add", "chain", [name, *_]):
                chains.setdefault(name, [])
            case ("add", "set", [name, *_]):
                sets.setdefault(name, {})
            case ("add", "map", [name, *_]):
                maps.setdefault(name, {})
            case ("flush", "chain", [name]):
                chains[name].clear()
            case ("delete", "chain", [name]):
                assert not any(line.target == name for lines in chains.values() for line in lines), (
                    f"{name} is busy"
                )
                assert not any(value[0] == name for one in maps.values() for value in one.values()), (
                    f"{name} is busy"
                )
                assert not chains.pop(name), f"{name} is not empty"
            case ("delete", "set", [name]):
                del sets[name]
            case ("add", "rule", [chain, *words]):
                self.handle += 1
                text, _, comment = " ".join(words).partition(' comment "')
                target = words[words.index("jump") + 1] if "jump" in words else ""
                assert not target or target in chains, target
                assert text
                chains[chain].append(Line(self.handle, comment.rstrip('"'), target))
            case ("delete", "rule", [chain, "handle", handle]):
                chains[chain][:] = [line for line in chains[chain] if line.handle != int(handle)]
            case ("add", "element", [name, *words]):
                self._element(name, " ".join(words)[2:-2])
            case ("delete", "element", [name, *words]):
                held: Any = maps[name] if name in maps else sets[name]
                del held[" ".join(words)[2:-2].replace('"', "").replace(" . ", " ")]
            case other:
                raise AssertionError(other)

    def _element(self, name: str, text: str) -> None:
        element, _, value = text.partition(" : ")
        element, _, comment = element.partition(' comment "')
        element, comment = element.replace('"', "").replace(" . ", " "), comment.rstrip('"')
        if name in self.table.maps:
            assert element not in self.table.maps[name], f"{element} is there"
            self.table.maps[name][element] = (value.removeprefix("goto "), comment)
        else:
            self.table.sets[name][element] = comment


@pytest.fixture
def kernel() -> Kernel:
    made = Kernel()
    made.do([])
    assert made.table.standing
    assert skeleton(made.table) == []
    return made


def shown(kernel: Kernel, kind: str) -> list[Seen]:
    table = kernel.table
    found = [*groups.shown(table), *routers.shown(table, passes=True), *floating.shown(table)]
    return [seen for seen in found if seen.kind == kind]


# --- rules

MEMBERS = {"self": "members_own", "group:two-3": "members_two_3"}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (Rule(), "meta nfproto ipv4 accept"),
        (Rule(protocol="tcp"), "meta nfproto ipv4 meta l4proto 6 accept"),
        (Rule(protocol="50"), "meta nfproto ipv4 meta l4proto 50 accept"),
        (Rule(protocol="tcp", first=80, last=80), "meta nfproto ipv4 meta l4proto 6 th dport 80 accept"),
        (Rule(protocol="udp", first=1, last=9), "meta nfproto ipv4 meta l4proto 17 th dport 1-9 accept"),
        (Rule(protocol="icmp", first=8), "meta nfproto ipv4 meta l4proto 1 icmp type 8 accept"),
        (
            Rule(protocol="icmp", first=3, last=0),
            "meta nfproto ipv4 meta l4proto 1 icmp type 3 icmp code 0 accept",
        ),
        (Rule(prefix="10.0.0.0/8"), "meta nfproto ipv4 ip saddr 10.0.0.0/8 accept"),
        (Rule(prefix="0.0.0.0/0"), "meta nfproto ipv4 accept"),
        (Rule("egress", prefix="10.0.0.0/8"), "meta nfproto ipv4 ip daddr 10.0.0.0/8 accept"),
        (Rule(ethertype="IPv6", prefix="2001:db8::/32"), "meta nfproto ipv6 ip6 saddr 2001:db8::/32 accept"),
        (Rule(group="self"), "meta nfproto ipv4 meta iifname . ip saddr @members_own accept"),
        (
            Rule("egress", group="group:two-3"),
            "meta nfproto ipv4 meta oifname . ip daddr @members_two_3 accept",
        ),
    ],
)
def test_rules(rule: Rule, expected: str) -> None:
    assert rendered(rule, MEMBERS.__getitem__) == expected


@pytest.mark.parametrize("text", ["tcp accept", "6; drop", "accept"])
def test_only_numbers_and_known_names_reach_the_kernel(text: str) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        rendered(Rule(protocol=text), MEMBERS.__getitem__)


# --- ids, marks, seals


def test_ids_are_strict() -> None:
    assert key_of("group", provider_id("group", TWO)) == key(TWO) == "two_3"
    assert id_of("group", "two_3") == "group:two-3"
    for wrong in (
        "",
        "two-3",
        "router:two-3",
        "group:two-x",
        "group:two-3 }",
        "group:../-1",
        "default",
        "g" * 300,
    ):
        with pytest.raises(PermanentError, match="there is no group"):
            key_of("group", wrong)


def test_a_seal_shows_what_was_changed(kernel: Kernel) -> None:
    kernel.do(seal(kernel.table.name, "pass", ("router", mark(ONE)), ["accept", "drop"], ['a "name" : {x}']))
    sealed = kernel.table.sealed("pass")
    assert sealed is not None
    assert (sealed.intact, sealed.notes) == (True, ('a "name" : {x}',))
    assert kernel.table.owner(sealed.head[1:]) == ONE
    lines = kernel.table.chains["pass"]
    for spoilt in (lines[:-1], [*lines, Line(9, "")], [lines[0], Line(9, "x"), *lines[1:]], lines[1:], []):
        broken = replace(kernel.table, chains={**kernel.table.chains, "pass": spoilt})
        found = broken.sealed("pass")
        assert found is not None
        assert not found.intact
    assert kernel.table.sealed("nowhere") is None


def test_a_listing_is_read() -> None:
    listing = {
        "nftables": [
            {"metainfo": {"version": "1.0.6"}},
            {
                "set": {
                    "name": "m",
                    "elem": [{"elem": {"val": {"concat": ["br-x", "10.0.0.1"]}, "comment": "c"}}, "lo"],
                }
            },
            {"map": {"name": "enter", "elem": [["10.0.0.1", {"goto": {"target": "v"}}]]}},
            {"map": {"name": "to", "elem": [[{"elem": {"val": "127.0.0.9", "comment": "k"}}, "10.0.0.2"]]}},
            {"chain": {"name": "v"}},
            {"rule": {"chain": "v", "handle": 7, "comment": "k", "expr": [{"jump": {"target": "g"}}]}},
            {"rule": {"chain": "v", "handle": 8, "expr": [{"drop": None}]}},
        ]
    }
    table = read(HOME, listing)
    assert table.sets == {"m": {"br-x 10.0.0.1": "c", "lo": ""}}
    assert table.maps == {"enter": {"10.0.0.1": ("v", "")}, "to": {"127.0.0.9": ("10.0.0.2", "k")}}
    assert table.chains == {"v": [Line(7, "k", "g"), Line(8, "")]}
    assert not table.standing


# --- groups


def test_a_group_is_written_shown_and_removed(kernel: Kernel) -> None:
    spec = SecurityGroupSpec("web", (Rule(protocol="tcp", first=80, last=80), Rule(group="self")))
    for _ in range(2):
        kernel.do(groups.written(kernel.table, spec, ONE))
    (seen,) = shown(kernel, "SecurityGroup")
    assert (seen.provider_id, seen.owner, seen.properties) == ("group:one-1", ONE, {"intact": True})
    assert seen.attributes == {"name": "web", "id": "group:one-1"}
    kernel.table.chains["gleave_one_1"].pop()
    assert shown(kernel, "SecurityGroup")[0].properties == {"intact": False}
    kernel.do(groups.removed(kernel.table, "one_1"))
    assert shown(kernel, "SecurityGroup") == []
    assert kernel.table.sets == {"floats": {}}


def test_a_rule_of_a_group_that_is_not_there_is_not_written(kernel: Kernel) -> None:
    with pytest.raises(TransientError, match="group:two-3 is not there"):
        groups.written(kernel.table, SecurityGroupSpec("web", (Rule(group="group:two-3"),)), ONE)
    with pytest.raises(TransientError, match="group:two-3 is not there"):
        groups.added(kernel.table, SecurityGroupRuleSpec("group:two-3", Rule()), ONE)


def test_added_rules_stay_when_their_group_is_written_anew(kernel: Kernel) -> None:
    kernel.do(groups.written(kernel.table, SecurityGroupSpec("web"), ONE))
    kernel.do(groups.added(kernel.table, SecurityGroupRuleSpec("group:one-1", Rule("egress")), TWO))
    kernel.do(groups.written(kernel.table, SecurityGroupSpec("other"), ONE))
    (seen,) = shown(kernel, "SecurityGroupRule")
    assert (seen.provider_id, seen.owner) == ("rule:two-3", TWO)
    kernel.do(groups.taken_back(kernel.table, TWO))
    assert shown(kernel, "SecurityGroupRule") == []


# --- guards

PLACE = guards.Place("10.0.0.5", "br-x", ("one_1",))


def test_a_guard_stands_and_goes(kernel: Kernel) -> None:
    kernel.do(groups.written(kernel.table, SecurityGroupSpec("web"), ONE))
    assert guards.groups_at(kernel.table, "10.0.0.5") == ()
    for _ in range(2):
        kernel.do(guards.guard(kernel.table, PLACE, TWO))
    assert guards.groups_at(kernel.table, "10.0.0.5") == ("group:one-1",)
    assert guards.guarded(kernel.table) == {"10.0.0.5": TWO}
    assert kernel.table.sets["members_one_1"] == {"br-x 10.0.0.5": "two:3"}
    assert [line.target for line in kernel.table.chains["venter_10_0_0_5"]] == ["", "genter_one_1", ""]
    with pytest.raises(AssertionError, match="busy"):
        kernel.do(groups.removed(kernel.table, "one_1"))


def test_a_guard_without_groups_lets_nothing_pass_and_is_nobodys(kernel: Kernel) -> None:
    kernel.do(groups.written(kernel.table, SecurityGroupSpec("web"), ONE))
    kernel.do(guards.guard(kernel.table, PLACE, TWO))
    kernel.do(guards.guard(kernel.table, replace(PLACE, groups=()), TWO))
    assert guards.groups_at(kernel.table, "10.0.0.5") == ("broken",)
    assert kernel.table.maps["enter"]["10.0.0.5"] == ("venter_10_0_0_5", "")
    assert kernel.table.sets["members_one_1"] == {}
    kernel.do(guards.taken_down(kernel.table, ["10.0.0.5", "10.0.0.6"]))
    assert kernel.table.maps["enter"] == kernel.table.maps["leave"] == {}
    assert not any(chain.startswith(("venter", "vleave")) for chain in kernel.table.chains)


@pytest.mark.parametrize("spoil", ["element", "member", "chain", "skeleton"])
def test_a_guard_that_somebody_changed_is_broken(kernel: Kernel, spoil: str) -> None:
    kernel.do(groups.written(kernel.table, SecurityGroupSpec("web"), ONE))
    kernel.do(guards.guard(kernel.table, PLACE, TWO))
    match spoil:
        case "element":
            del kernel.table.maps["leave"]["10.0.0.5"]
        case "member":
            kernel.table.sets["members_one_1"].clear()
        case "chain":
            kernel.table.chains["venter_10_0_0_5"].clear()
        case _:
            kernel.table.chains["enter_forward"].clear()
    assert guards.groups_at(kernel.table, "10.0.0.5") == ("broken",)
    nic = {"network": "n", "ip": "10.0.0.5"}
    seen = guards.with_guards(Seen("Machine", "m", properties={"networks": (nic,)}), kernel.table)
    assert seen.properties["networks"] == ({**nic, "groups": ["broken"]},)


# --- routers and floating addresses


def test_a_router_its_networks_and_its_way_out(kernel: Kernel) -> None:
    def step(kind: str, owner: Owner, commands: list[str]) -> None:
        kernel.do(commands)
        assert [seen.owner for seen in shown(kernel, kind)] == [owner]

    step("Router", ONE, routers.router(kernel.table, RouterSpec("r"), ONE))
    way = RouterInterfaceSpec("router:one-1", "n")
    for _ in range(2):
        step("RouterInterface", TWO, routers.interface(kernel.table, way, TWO, "br-n", "n" * 64))
    with pytest.raises(TransientError, match="on that network already"):
        routers.interface(kernel.table, way, ONE, "br-n", "n" * 64)
    step(
        "RouterGateway", TWO, routers.gateway(kernel.table, RouterGatewaySpec("router:one-1", "public"), TWO)
    )
    assert shown(kernel, "Router")[0].properties == {"intact": True}
    (unheard,) = (one for one in routers.shown(kernel.table, passes=False) if one.kind == "Router")
    assert unheard.properties == {"intact": False}
    assert shown(kernel, "Router")[0].attributes == {"name": "r", "id": "router:one-1", "gateway": ""}
    kernel.table.chains["pass"].clear()
    assert shown(kernel, "Router")[0].properties == {"intact": False}
    with pytest.raises(TransientError, match="router:two-3 is not there"):
        routers.gateway(kernel.table, RouterGatewaySpec("router:two-3", "public"), ONE)


def test_a_floating_address_that_leads_nowhere_any_more_is_not_intact(kernel: Kernel) -> None:
    name = kernel.table.name
    comment = f"floating:{mark(ONE)}:leads:public"
    kernel.do([f'add element inet {name} floats {{ 127.0.1.1 comment "{comment}" }}'])
    kernel.do(floating._led(kernel.table, ONE, "127.0.1.1", "10.0.0.5", "port@10.0.0.5"))
    (seen,) = shown(kernel, "FloatingIP")
    assert seen.properties == {"intact": True}
    assert seen.attributes == {
        "id": "floating:one-1",
        "ip": "127.0.1.1",
        "pool": "public",
        "target": "10.0.0.5",
        "port": "port@10.0.0.5",
    }
    assert shown(kernel, "FloatingIPAssociation") == []
    with pytest.raises(TransientError, match="leads to another machine"):
        floating._led(kernel.table, TWO, "127.0.1.1", "10.0.0.6", "")
    kernel.table.maps["floating"].clear()
    assert shown(kernel, "FloatingIP")[0].properties == {"intact": False}


@pytest.mark.parametrize(
    ("spec", "taken", "expected"),
    [
        (FloatingIPSpec(), (), "127.0.1.1"),
        (FloatingIPSpec(), ("127.0.1.1",), "127.0.1.2"),
        (FloatingIPSpec(ip="127.0.1.2"), (), "127.0.1.2"),
        (FloatingIPSpec(ip="127.0.1.2"), ("127.0.1.2",), TransientError),
        (FloatingIPSpec(ip="10.0.0.1"), (), PermanentError),
        (FloatingIPSpec(), ("127.0.1.1", "127.0.1.2"), TransientError),
    ],
)
def test_an_address_of_the_pool(
    kernel: Kernel, spec: FloatingIPSpec, taken: tuple[str, ...], expected: Any
) -> None:
    kernel.table.sets["floats"].update(dict.fromkeys(taken, "floating:x:1:d:free:"))
    made: Any = floating.Floating(None, None, None, "127.0.1.0/30")  # type: ignore[arg-type]
    if isinstance(expected, str):
        assert made._chosen(kernel.table, spec) == expected
    else:
        with pytest.raises(expected):
            made._chosen(kernel.table, spec)


# --- where there is none


def driver(**settings: Any) -> DockerDriver:
    return DockerDriver(DockerSettings(**settings), clock=SystemClock())


def refused(made: DockerDriver, kind: str) -> str:
    notes = made.capabilities.notes[kind]
    assert (kind in made.capabilities.kinds) is all(note.verdict is not Verdict.REFUSED for note in notes)
    return next((note.words for note in notes if note.verdict is Verdict.REFUSED), "")


def test_who_may_not_change_the_filter_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda name, path="": f"/sbin/{name}")
    everything = driver(floating_pool="127.0.1.0/24")
    assert [refused(everything, kind) for kind in ("SecurityGroup", "Router", "FloatingIP")] == ["", "", ""]
    assert refused(driver(), "SecurityGroup") == ""
    assert "floating_pool" in refused(driver(), "FloatingIPAssociation")
    assert "another machine" in refused(driver(host="tcp://127.0.0.1:2375"), "SecurityGroup")
    monkeypatch.setattr(shutil, "which", lambda name, path="": None)
    assert "nft is not installed" in refused(driver(), "Router")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "only root" in refused(driver(), "SecurityGroupRule")


async def test_an_engine_that_cannot_be_seen_is_no_reason_not_to_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Terrace in a container, with the engine's socket: it sees everything but the packet filter."""

    def unseen(address: str) -> int:
        raise CapabilityError("the engine's process cannot be seen")

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda name, path="": f"/sbin/{name}")
    made = driver()
    monkeypatch.setattr(inside, "daemon_of", unseen)
    assert "cannot be seen" in refused(driver(), "SecurityGroup")
    seen = Seen("Machine", "m")
    assert await made._firewall.shown(await made._firewall.table(HOME), [seen]) == [seen]
    assert await made._firewall.machine(seen, HOME) == seen
    with pytest.raises(CapabilityError, match="cannot be seen"):
        async with made._firewall._filter.turn(HOME):
            pass
    await made.close()


def test_a_pool_is_a_range_of_ipv4() -> None:
    for wrong in ("public", "10.0.0.1/24", "2001:db8::/64"):
        with pytest.raises(ValueError, match=r"host bits|4 octets|Only decimal"):
            DockerSettings(floating_pool=wrong)


def test_the_engine_is_found_by_its_socket(tmp_path: Path) -> None:
    address = str(tmp_path / "s")
    with pytest.raises(TransientError, match="no answer"):
        inside.daemon_of(address)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address)
        server.listen()
        assert inside.daemon_of(address) == os.getpid()


def test_settings_of_the_kernel_are_named_strictly() -> None:
    assert (
        inside._setting("net/ipv4/conf/br-0/route_localnet") == "/proc/sys/net/ipv4/conf/br-0/route_localnet"
    )
    for wrong in (
        "kernel/core_pattern",
        "net/../kernel/core_pattern",
        "net/ipv4/../../kernel/x",
        "/etc/passwd",
    ):
        with pytest.raises(ValueError, match="/"):
            inside._setting(wrong)
