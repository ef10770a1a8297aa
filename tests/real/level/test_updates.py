"""Changing one property of a resource on a real engine: the plan said what then happened, and the engine shows it.

The table over all kinds and properties is tried in simulation (tests/properties/test_updates.py); this is its sample.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tests.real.level.rig import machine, of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.real.level.rig import Terrace

MIB = 1024 * 1024
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPt5J4kUu0n0oQw3gJr1n7mQk3l2ZrV6p5Y0c9fW8aB one"
NET = {"get_resource": "net"}
OTHER = {"get_resource": "other"}
DISK = {"get_resource": "disk"}


class Try(NamedTuple):
    """A property of a machine from `before` (None: not given) to `after`; `says` is what the plan must say, `shown`
    what the engine must then show."""

    before: Any
    after: Any
    says: str
    shown: Callable[[dict[str, Any]], bool]


def _environment(seen: dict[str, Any], pair: str) -> bool:
    return pair in seen["Config"]["Env"]


def _share(seen: dict[str, Any]) -> float:
    return float(seen["HostConfig"]["CpuQuota"] / seen["HostConfig"]["CpuPeriod"])


def _networks(seen: dict[str, Any]) -> int:
    return len(seen["NetworkSettings"]["Networks"])


def _names(seen: dict[str, Any]) -> set[str]:
    return {name for net in seen["NetworkSettings"]["Networks"].values() for name in net["Aliases"] or ()}


MACHINES: dict[str, Try] = {
    "memory": Try(32, 48, "update", lambda seen: seen["HostConfig"]["Memory"] == 48 * MIB),
    "cpu": Try(0.5, 0.25, "update", lambda seen: _share(seen) == 0.25),
    "pids": Try(100, 50, "update", lambda seen: seen["HostConfig"]["PidsLimit"] == 50),
    "networks": Try([NET], [NET, OTHER], "update", lambda seen: _networks(seen) == 2),
    "aliases": Try(["old"], ["fresh"], "update", lambda seen: "fresh" in _names(seen)),
    "metadata": Try({"note": "one"}, {"note": "two"}, "update", lambda seen: seen["State"]["Running"]),
    "restart": Try("always", "on-failure", "update", lambda seen: seen["State"]["Running"]),
    "health": Try(
        None,
        {"type": "command", "command": ["true"], "interval": 0.5},
        "update",
        lambda seen: seen["State"]["Running"],
    ),
    "name": Try("first", "second", "replace", lambda seen: seen["State"]["Running"]),
    "environment": Try(
        {"TONE": "flat"}, {"TONE": "sharp"}, "replace", lambda seen: _environment(seen, "TONE=sharp")
    ),
    "command": Try(
        "exec sleep 100000",
        "exec sleep 200000",
        "replace",
        lambda seen: (
            [*(seen["Config"]["Entrypoint"] or ()), *(seen["Config"]["Cmd"] or ())][-1] == "exec sleep 200000"
        ),
    ),
    "files": Try(
        [{"path": "/etc/told", "content": "one"}],
        [{"path": "/etc/told", "content": "two"}],
        "replace",
        lambda seen: seen["State"]["Running"],
    ),
    "volumes": Try(
        [{"volume": DISK, "path": "/one"}],
        [{"volume": DISK, "path": "/two"}],
        "replace",
        lambda seen: [mount["Destination"] for mount in seen["Mounts"]] == ["/two"],
    ),
    "publish": Try(
        ["127.0.0.1:28080:80"],
        ["127.0.0.1:28081:80"],
        "replace",
        lambda seen: seen["HostConfig"]["PortBindings"]["80/tcp"][0]["HostPort"] == "28081",
    ),
    "log_size": Try(10, 20, "replace", lambda seen: seen["State"]["Running"]),
    "keys": Try(None, [KEY], "replace", lambda seen: seen["State"]["Running"]),
}


def small(image: str, name: str, tried: Try, after: bool) -> Any:
    """A machine with that property, before or after."""
    value = tried.after if after else tried.before
    return machine(image, **({} if value is None else {name: value}))


def around() -> dict[str, Any]:
    """What the machines stand on."""
    return {"net": of("Network"), "other": of("Network"), "disk": of("Volume")}


def test_a_machines_properties(terrace: Terrace, tiny_image: str) -> None:
    def stack(after: bool) -> dict[str, Any]:
        return around() | {name: small(tiny_image, name, tried, after) for name, tried in MACHINES.items()}

    terrace.up("many", stack(after=False))
    terrace.stands("many", "network:stack", *around(), *MACHINES)
    before = {name: terrace.inspect("many", name) for name in MACHINES}
    terrace.write("many", stack(after=True))
    planned = terrace.plan("many")
    assert {path: item["what"] for path, item in planned.items()} == {
        name: tried.says for name, tried in MACHINES.items()
    }
    for name, item in planned.items():
        assert name in {one["field"] for one in item["differences"]}, item
        forcing = {one["field"] for one in item["differences"] if one["forces"]}
        assert forcing == ({name} if item["what"] == "replace" else set()), item
    terrace.up("many", stack(after=True))
    terrace.stands("many", "network:stack", *around(), *MACHINES)
    for name, tried in MACHINES.items():
        seen = terrace.inspect("many", name)
        same = seen["Id"] == before[name]["Id"]
        started = seen["State"]["StartedAt"] == before[name]["State"]["StartedAt"]
        assert (same, started) == ((True, True) if tried.says == "update" else (False, False)), name
        assert tried.shown(seen), (name, seen)
    assert terrace("exec", "many/files", "--", "cat", "/etc/told").out == "two"
    terrace.down("many")


OTHERS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "Network.internal": ({}, {"internal": True}, "replace"),
    "Network.mtu": ({"mtu": 1400}, {"mtu": 1300}, "replace"),
    "Network.cidr": ({"cidr": "10.77.1.0/24"}, {"cidr": "10.77.2.0/24"}, "replace"),
    "Volume.metadata": ({"metadata": {"a": "b"}}, {"metadata": {"a": "c"}}, "update"),
    "RandomString.length": ({"length": 8}, {"length": 9}, "replace"),
    "RandomString.salt": ({}, {"salt": "again"}, "replace"),
    "Value.value": ({"value": 1}, {"value": 2}, "update"),
    "TestResource.replace": ({}, {"replace": "yes"}, "replace"),
    "Delay.minimum": ({"minimum": 0}, {"minimum": 0.1}, "update"),
    "KeyPair.name": ({"name": "one"}, {"name": "two"}, "replace"),
}


def test_other_kinds(terrace: Terrace) -> None:
    def stack(after: bool) -> dict[str, Any]:
        return {
            name.replace(".", "-"): of(name.partition(".")[0], **pair[after]) for name, pair in OTHERS.items()
        }

    terrace.up("others", stack(after=False))
    terrace.settled("others")
    before = terrace.resources("others")
    terrace.write("others", stack(after=True))
    planned = {path: item["what"] for path, item in terrace.plan("others").items()}
    assert planned == {name.replace(".", "-"): says for name, (_, _, says) in OTHERS.items()}
    terrace.up("others", stack(after=True))
    terrace.settled("others")
    after = terrace.resources("others")
    for path, says in planned.items():
        replaced = after[path]["incarnation"] > before[path]["incarnation"]
        assert replaced == (says == "replace"), path
    assert terrace.plan("others") == {}
    terrace.down("others")


def test_a_refused_change_begins_nothing(terrace: Terrace, tiny_image: str) -> None:
    """One part of the change cannot be: the other is not begun either."""

    def stack(size: int, memory: int) -> dict[str, Any]:
        return {"disk": of("Volume", size=size), "a": machine(tiny_image, memory=memory)}

    terrace.up("one", stack(2, 32))
    before = terrace.head("one")
    file = terrace.write("one", stack(1, 48))
    planned = terrace("plan", file, "-o", "json", code=1).json
    assert {item["path"]: item["what"] for item in planned["items"] if item["what"] != "nothing"} == {
        "disk": "refused",
        "a": "update",
    }
    told = terrace("up", file, code=1)
    assert "cannot shrink" in told.err
    assert terrace.head("one")["generation"] == before["generation"]
    assert terrace.inspect("one", "a")["HostConfig"]["Memory"] == 32 * MIB
    terrace.down("one")


def test_a_plan_that_was_kept(terrace: Terrace, tiny_image: str) -> None:
    terrace.up("one", {"a": machine(tiny_image, memory=32)})
    file = terrace.write("one", {"a": machine(tiny_image, memory=48)})
    kept = str(terrace.folder / "one.plan")
    terrace("plan", file, "--out", kept, code=2)
    terrace.write("one", {"a": machine(tiny_image, memory=64)})  # the file says something else by now
    terrace("up", "--plan", kept)
    assert terrace.inspect("one", "a")["HostConfig"]["Memory"] == 48 * MIB
    outdated = terrace("up", "--plan", kept, code=4)
    assert "no longer true" in outdated.err
    terrace.down("one")
