"""The engine and the server come and go: neither loses what is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.real.level.rig import PATIENCE, machine, of

if TYPE_CHECKING:
    from typing import Any

    from tests.real.level.rig import Terrace


def trio(image: str) -> dict[str, Any]:
    """A network, a volume and two machines."""
    on = [{"network": {"get_resource": "net"}}]
    keeps = [{"volume": {"get_resource": "disk"}, "path": "/keep"}]
    return {
        "net": of("Network"),
        "disk": of("Volume"),
        "a": machine(image, networks=on),
        "b": machine(image, networks=on, volumes=keeps),
    }


def unreachable(terrace: Terrace) -> bool:
    """Whether Terrace says, on one line, that the engine does not answer."""
    (local,) = [one for one in terrace("provider", "list", "-o", "json").json if one["name"] == "local"]
    if local["reachable"]:
        return False
    assert "no answer from the Docker engine" in local["why"]
    assert "\n" not in local["why"]
    return True


def test_the_engine_is_away_for_a_while(terrace: Terrace, tiny_image: str) -> None:
    terrace.up("trio", trio(tiny_image))
    terrace.stands("trio", "net", "disk", "a", "b")
    before = terrace.resources("trio")
    terrace("exec", "trio/b", "--", "sh", "-c", "echo kept > /keep/it")
    terrace.engine.stop()
    terrace.until(lambda: unreachable(terrace), why="Terrace to notice that the engine is away")
    doctor = terrace("doctor", code=None)
    assert "no answer from the Docker engine" in doctor.out + doctor.err, doctor
    terrace.engine.start()
    terrace.until(lambda: not unreachable(terrace), why="Terrace to notice that the engine is back")
    terrace.stands("trio", "net", "disk", "a", "b")
    after = terrace.resources("trio")
    assert {path: one["provider_id"] for path, one in before.items()} == {
        path: one["provider_id"] for path, one in after.items()
    }
    assert terrace("exec", "trio/b", "--", "cat", "/keep/it").out == "kept\n"
    terrace.down("trio")


def test_after_a_reboot_everything_stands_again(terrace: Terrace, tiny_image: str) -> None:
    terrace.up("trio", trio(tiny_image))
    terrace.stands("trio", "net", "disk", "a", "b")
    before = terrace.resources("trio")
    terrace.kill()
    terrace.engine.stop()
    terrace.engine.start()
    assert terrace.engine.containers(running=True) == []
    terrace.start()
    terrace.stands("trio", "net", "disk", "a", "b")
    after = terrace.resources("trio")
    assert before["a"]["provider_id"] == after["a"]["provider_id"]
    terrace.down("trio")


def test_up_waits_for_an_engine_that_is_away(terrace: Terrace, tiny_image: str) -> None:
    """`up` is accepted, follows, and settles as soon as the engine is there."""
    terrace.engine.stop()
    following = terrace.begin("up", terrace.write("trio", trio(tiny_image)), "--yes")
    try:
        terrace.until(
            lambda: "trio" in terrace.stacks() and "no answer" in terrace.head("trio")["why"],
            why="the stack to say that the engine is away",
        )
        why = terrace.head("trio")["why"]
        assert "\n" not in why
        assert following.poll() is None
        terrace.engine.start()
        out, err = following.communicate(timeout=PATIENCE)
    finally:
        following.kill()
    assert following.returncode == 0, out + err
    assert "settled" in err
    terrace.stands("trio", "net", "disk", "a", "b")
    terrace.down("trio")


def test_down_waits_for_an_engine_that_is_away(terrace: Terrace, tiny_image: str) -> None:
    """Gone means not seen: without the engine nothing counts as gone."""
    terrace.up("trio", trio(tiny_image))
    terrace.engine.stop()
    terrace("down", "trio", "--yes", "--no-follow")
    terrace.until(
        lambda: "no answer" in terrace.head("trio")["why"], why="the stack to say what it waits for"
    )
    terrace.engine.start()
    terrace.until(lambda: terrace.stacks() == [], why="trio to be gone")
    assert terrace.there() == []


def test_a_change_while_a_change_is_on_its_way(terrace: Terrace, tiny_image: str) -> None:
    """The newest wish counts, whatever was still being done."""
    for count in (4, 1, 3):
        group = {"type": machine(tiny_image)["type"], "properties": machine(tiny_image)["properties"]}
        terrace.up("many", {"g": of("Group", count=count, resource_def=group)}, "--no-follow")
    terrace.stands("many", "network:stack", "g/0", "g/1", "g/2")
    terrace.down("many")
