"""What the engine shows, as Seen: from answers that an engine gave (recorded.json), shortened."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from terrace.drivers.docker import marks, seen
from terrace.drivers.docker.networks import pick
from terrace.drivers.docker.wire.frames import Frames, epoch
from terrace.model.seen import Owner

RECORDED: dict[str, Any] = json.loads(Path(__file__).with_name("recorded.json").read_text())
FRONT = RECORDED["network"]["Id"]


def test_listed_and_inspected_show_the_same() -> None:
    inspected = seen.inspected(RECORDED["inspected"])
    listed = seen.listed(RECORDED["listed"], inspected.detail)
    names = {FRONT: "front"}
    assert seen.machine(listed, names, "host-1") == seen.machine(inspected, names, "host-1")


def test_machine() -> None:
    shown = seen.machine(seen.inspected(RECORDED["inspected"]), {FRONT: "front"}, "host-1")
    assert shown.owner == Owner("inst", "17952254888400000005", 1, "dig")
    assert (shown.state, shown.complete, shown.exit_code) == ("running", True, None)
    assert shown.properties == {
        "cpu": 0.5,
        "memory": 128,
        "pids": 100,
        "networks": ({"network": FRONT, "ip": "10.204.151.216"},),
    }
    assert shown.attributes["addresses"] == {
        "front": [{"addr": "10.204.151.216", "port": f"{FRONT[:12]}@10.204.151.216"}]
    }
    assert shown.attributes["first_address"] == "10.204.151.216"
    assert shown.attributes["name"] == "alpha"
    assert shown.created > 1_700_000_000


@pytest.mark.parametrize(
    ("word", "state", "complete"),
    [
        ("created", "created", False),
        ("running", "running", True),
        ("paused", "paused", True),
        ("restarting", "running", True),
        ("exited", "exited", True),
        ("removing", "dead", True),
        ("dead", "dead", True),
        ("never heard of", "dead", True),
    ],
)
def test_states(word: str, state: str, complete: bool) -> None:
    facts = seen.listed({**RECORDED["listed"], "State": word}, seen.Detail(exit_code=137, finished=9.0))
    shown = seen.machine(facts, {}, "h")
    assert (shown.state, shown.complete) == (state, complete)
    ended = state in ("exited", "dead")
    assert (shown.exit_code, shown.finished) == ((137, 9.0) if ended else (None, 0.0))


def test_a_container_without_labels_is_nobodys() -> None:
    shown = seen.machine(seen.listed({**RECORDED["listed"], "Labels": {}}, seen.Detail()), {}, "h")
    assert shown.owner is None
    assert shown.attributes["name"] == shown.name


def test_the_default_bridge_is_no_network_that_was_asked_for() -> None:
    on_bridge = {
        **RECORDED["listed"],
        "HostConfig": {"NetworkMode": "bridge"},
        "NetworkSettings": {"Networks": {"bridge": {"NetworkID": "b", "IPAddress": "172.17.0.2"}}},
    }
    shown = seen.machine(seen.listed(on_bridge, seen.Detail()), {}, "h")
    assert shown.properties["networks"] == ()
    assert shown.attributes["first_address"] == "172.17.0.2"


def test_what_tells_that_details_are_old() -> None:
    assert seen.look({"State": "exited", "Status": "Exited (137) 5 seconds ago"}) == "exited:137"
    assert seen.look({"State": "running", "Status": "Up 3 hours"}) == "running:"


@pytest.mark.parametrize(
    ("host", "cpu", "memory", "pids"),
    [
        ({"NanoCpus": 1_500_000_000, "Memory": 0, "PidsLimit": None}, 1.5, 0, 0),
        ({"CpuQuota": 25_000, "CpuPeriod": 50_000, "Memory": 64 << 20, "PidsLimit": 9}, 0.5, 64, 9),
        ({"CpuQuota": -1, "Memory": 0x7FFF_FFFF_FFFF_F000, "PidsLimit": -1}, 0.0, 0, 0),
    ],
)
def test_limits(host: dict[str, Any], cpu: float, memory: int, pids: int) -> None:
    known = seen.detail({"HostConfig": host, "State": {}, "Created": ""})
    assert (known.cpu, known.memory, known.pids) == (cpu, memory, pids)


def test_network_and_volume() -> None:
    shown = seen.network(RECORDED["network"])
    assert shown.attributes == {
        "id": FRONT,
        "name": "front",
        "cidr": "10.204.148.0/22",
        "gateway": "10.204.148.1",
        "subnets": ["10.204.148.0/22"],
        "mtu": 1400,
    }
    kept = seen.volume(RECORDED["volume"], used=True)
    assert kept.data
    assert kept.attributes == {"id": kept.provider_id, "name": "store", "size": 2, "state": "in-use"}


def test_time_stamps() -> None:
    assert epoch("2026-11-21T01:44:48.843332300Z") == pytest.approx(1795225488.8433323)
    assert epoch("2026-11-21T02:44:48+01:00") == 1795225488.0
    assert epoch("0001-01-01T00:00:00Z") == 0.0
    assert epoch("") == 0.0


def test_frames_cut_anywhere() -> None:
    stamp = b"2026-11-21T01:44:48.5Z "
    frames = [(1, stamp + b"out\n"), (2, stamp + b"err\n")]
    wire = b"".join(bytes([n, 0, 0, 0]) + len(text).to_bytes(4, "big") + text for n, text in frames)
    for cut in range(len(wire)):
        reader = Frames(stamped=True)
        found = reader.feed(wire[:cut]) + reader.feed(wire[cut:])
        assert [(c.stream, c.data, c.at) for c in found] == [
            ("stdout", b"out\n", 1795225488.5),
            ("stderr", b"err\n", 1795225488.5),
        ]


def test_a_terminal_has_no_frames() -> None:
    assert [c.data for c in Frames(raw=True).feed(b"\x01\x00 whatever")] == [b"\x01\x00 whatever"]


MOUNTS = """\
112 158 0:62 / /sys/firmware ro,relatime - tmpfs tmpfs ro
61 113 254:0 /engine/volumes/store-1/_data /mnt/a\\040b rw,nosuid - ext4 /dev/vda rw
113 154 0:63 / /mnt/a\\040b ro,nosuid - tmpfs terrace:inst:u:3:dg ro,size=4k
70 154 254:0 /engine/volumes/other/_data /data rw - ext4 /dev/vda rw
114 154 0:64 / /mnt/bare ro,nosuid - tmpfs terrace:inst:v:1: ro,size=4k
"""


def test_marks_of_attachments_in_any_order() -> None:
    found = marks.marked(marks.parse(MOUNTS))
    owner, volume = found["/mnt/a b"]
    assert owner == Owner("inst", "u", 3, "dg")
    assert volume is not None
    shown = marks.shown(owner, "c" * 64, volume)
    assert shown.provider_id == "c" * 64 + ":/mnt/a b"
    assert shown.properties == {"volume": "store-1", "machine": "c" * 64, "read_only": False}
    assert found["/mnt/bare"] == (Owner("inst", "v", 1, ""), None)
    assert "/data" not in found


def test_marks_are_read_as_they_are_written() -> None:
    owner = Owner("inst", "uid", 4, "dg")
    assert marks.owner_of(marks.mark(owner)) == owner
    assert marks.owner_of("tmpfs") is None


def test_addresses_for_ports() -> None:
    first = pick("10.0.0.0/24", {"10.0.0.1"}, "a-1")
    assert int(first.rsplit(".", 1)[1]) > 127
    assert pick("10.0.0.0/24", {"10.0.0.1"}, "a-1") == first
    assert pick("10.0.0.0/24", {first}, "a-1") != first
    everything = {f"10.0.0.{n}" for n in range(1, 255)}
    assert pick("10.0.0.0/24", everything - {"10.0.0.7"}, "a-1") == "10.0.0.7"
    assert pick("10.0.0.0/24", everything, "a-1") == ""
