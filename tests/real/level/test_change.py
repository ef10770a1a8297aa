"""A change does what its plan says: in place, by replacement, back again when it fails, more and fewer."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from tests.real.level.rig import machine, of

if TYPE_CHECKING:
    from tests.real.level.rig import Terrace

MIB = 1024 * 1024


def container_events(terrace: Terrace, since: float) -> list[tuple[str, str]]:
    """(what, which container) since then, oldest first, as the engine tells it."""
    words = (
        "events",
        "--since",
        f"{since:.6f}",
        "--until",
        f"{time.time():.6f}",
        "--filter",
        "type=container",
    )
    told = [json.loads(line) for line in terrace.engine.cli(*words, "--format", "{{json .}}").splitlines()]
    return [
        (one["Action"], one["Actor"]["ID"]) for one in told if one["Action"] in ("create", "start", "destroy")
    ]


def test_memory_changes_in_place(terrace: Terrace, tiny_image: str) -> None:
    terrace.up("one", {"a": machine(tiny_image, memory=32)})
    before = terrace.container("one", "a")
    terrace.write("one", {"a": machine(tiny_image, memory=48)})
    planned = terrace.plan("one")
    assert {path: item["what"] for path, item in planned.items()} == {"a": "update"}
    (difference,) = planned["a"]["differences"]
    assert (difference["field"], difference["before"], difference["after"]) == ("memory", 32, 48)
    terrace.up("one", {"a": machine(tiny_image, memory=48)})
    terrace.stands("one", "network:stack", "a")
    assert terrace.container("one", "a") == before
    assert terrace.engine.inspect(before)["HostConfig"]["Memory"] == 48 * MIB
    terrace.down("one")


def test_another_image_comes_before_the_old_one_goes(
    terrace: Terrace, tiny_image: str, base_image: str
) -> None:
    terrace.up("one", {"a": machine(tiny_image)})
    old = terrace.container("one", "a")
    terrace.write("one", {"a": machine(base_image, environment={"SIZE": "2"})})
    planned = terrace.plan("one")["a"]
    assert planned["what"] == "replace"
    assert not planned["delete_first"]
    assert {one["field"] for one in planned["differences"] if one["forces"]} == {"image", "environment"}
    since = time.time()
    terrace("up", str(terrace.folder / "one.yaml"), code=1)  # nobody is there to say yes
    terrace("up", str(terrace.folder / "one.yaml"), "--yes")
    terrace.stands("one", "network:stack", "a")
    new = terrace.container("one", "a")
    happened = container_events(terrace, since)
    assert happened == [("create", new), ("start", new), ("destroy", old)]
    assert "SIZE=2" in terrace.engine.inspect(new)["Config"]["Env"]
    terrace.down("one")


def test_a_machine_with_a_volume_goes_first_and_its_data_stays(terrace: Terrace, tiny_image: str) -> None:
    def kept(tone: str) -> dict[str, Any]:
        place = [{"volume": {"get_resource": "disk"}, "path": "/keep"}]
        return {
            "disk": of("Volume"),
            "a": machine(tiny_image, volumes=place, environment={"TONE": tone}),
        }

    terrace.up("data", kept("flat"))
    old = terrace.container("data", "a")
    terrace("exec", "data/a", "--", "sh", "-c", "echo precious > /keep/it")
    terrace.write("data", kept("sharp"))
    planned = terrace.plan("data")
    assert {path: item["what"] for path, item in planned.items()} == {"a": "replace"}
    assert planned["a"]["delete_first"]
    assert "the old one goes first" in terrace("plan", str(terrace.folder / "data.yaml"), code=2).out
    since = time.time()
    terrace.up("data", kept("sharp"))
    terrace.stands("data", "network:stack", "disk", "a")
    new = terrace.container("data", "a")
    assert container_events(terrace, since) == [("destroy", old), ("create", new), ("start", new)]
    assert terrace("exec", "data/a", "--", "cat", "/keep/it").out == "precious\n"
    terrace.engine.cli("rm", "--force", new)
    terrace.until(lambda: terrace.container("data", "a") != new, why="a new machine")
    terrace.stands("data", "network:stack", "disk", "a")
    assert terrace("exec", "data/a", "--", "cat", "/keep/it").out == "precious\n"
    terrace.down("data")


def test_a_change_that_fails_is_rolled_back(terrace: Terrace, tiny_image: str) -> None:
    good = {"a": machine(tiny_image, environment={"TONE": "flat"})}
    bad = {
        "a": machine(tiny_image, environment={"TONE": "sharp"}),
        "broken": {"depends_on": "a", **of("TestResource", fail=True)},
    }
    terrace.up("music", good)
    done = terrace.up("music", bad, "--on-failure", "rollback", code=1)
    assert "failed and was rolled back" in done.err
    assert "broken" in done.err
    terrace.write("music", good)
    terrace.stands("music", "network:stack", "a")
    assert "TONE=flat" in terrace.inspect("music", "a")["Config"]["Env"]
    newest, failed, first = terrace("history", "music", "-o", "json").json
    assert (newest["restores"], first["number"]) == (1, 1)
    assert failed["failed"]
    assert [one["kind"] for one in terrace.events("music")].count("stack.rollback") == 1
    terrace.down("music")


def test_a_change_that_fails_is_kept_unless_said_otherwise(terrace: Terrace, tiny_image: str) -> None:
    terrace.up("music", {"a": machine(tiny_image)})
    bad = {"a": machine(tiny_image), "broken": of("TestResource", fail=True)}
    done = terrace.up("music", bad, code=1)
    assert "terrace retry music" in done.err
    terrace.up("music", {"a": machine(tiny_image), "broken": of("TestResource")})
    terrace.stands("music", "network:stack", "a")
    terrace.down("music")


def test_a_group_grows_and_shrinks(terrace: Terrace, tiny_image: str) -> None:
    def group(count: int) -> dict[str, Any]:
        member = machine(tiny_image, environment={"NUMBER": "%index%"})
        return {"g": of("Group", count=count, resource_def=member)}

    terrace.up("flock", group(1))
    first = terrace.container("flock", "g/0")
    for count in (4, 2):
        terrace.up("flock", group(count))
        terrace.stands("flock", "network:stack", *(f"g/{number}" for number in range(count)))
        assert terrace.container("flock", "g/0") == first
    assert "NUMBER=1" in terrace.inspect("flock", "g/1")["Config"]["Env"]
    terrace.down("flock")


def test_templates_within_templates(terrace: Terrace, tiny_image: str) -> None:
    """A group of a nested template: parameters go in, outputs come out."""
    part = {
        "box": machine(tiny_image, environment={"WHO": {"get_param": "who"}}),
        "memo": of(
            "Value", value={"str_replace": {"template": "I am W", "params": {"W": {"get_param": "who"}}}}
        ),
    }
    terrace.write(
        "part",
        part,
        parameters={"who": {"type": "string"}},
        outputs={"says": {"value": {"get_attr": ["memo", "value"]}}},
    )
    team = {"type": "part.yaml", "properties": {"who": "member %index%"}}
    whole = {
        "single": {"type": "part.yaml", "properties": {"who": "alone"}},
        "team": of("Group", count=2, resource_def=team),
    }
    outputs = {
        "single": {"value": {"get_attr": ["single", "says"]}},
        "team": {"value": {"get_attr": ["team", "says"]}},
    }
    terrace("up", terrace.write("nest", whole, outputs=outputs), "--yes")
    terrace.stands("nest", "network:stack", "single/box", "team/0/box", "team/1/box")
    said = {one["name"]: one["value"] for one in terrace("output", "nest", "-o", "json").json}
    assert said == {"single": "I am alone", "team": ["I am member 0", "I am member 1"]}
    assert "WHO=member 1" in terrace.inspect("nest", "team/1/box")["Config"]["Env"]
    terrace.down("nest")
