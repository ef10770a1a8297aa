"""Guests that say when they are done, and groups that change without going out of service."""

from __future__ import annotations

import json
import shutil
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.real.level.rig import machine, of

if TYPE_CHECKING:
    from tests.real.level.rig import Terrace

EXAMPLE = Path(__file__).parents[3] / "examples" / "wait.yaml"
DOOR = 8014


def test_the_example_settles_when_its_guest_has_spoken(terrace: Terrace, base_image: str) -> None:
    """curl in the user data of a real machine, through the gateway of its network."""
    shutil.copy(EXAMPLE, terrace.folder / "wait.yaml")
    terrace("up", str(terrace.folder / "wait.yaml"), "--yes")
    terrace.settled("wait")
    assert json.loads(terrace("output", "wait", "answer").out) == {"answer": "42"}
    listed = terrace("signal", "list", "wait", "-o", "json").json
    assert [(one["path"], one["id"], one["status"]) for one in listed] == [("handle", "answer", "SUCCESS")]
    terrace.down("wait")


def test_busybox_knocks_with_the_url_alone(terrace: Terrace, tiny_image: str) -> None:
    """wget, which sends what it has as a form; a failure first, then a better word under the same id."""
    speak = 'wget -q -O - --post-data "$SAYS" "$URL"; exec sleep 2147483647'

    def stack(says: str) -> dict[str, Any]:
        guest = machine(
            tiny_image,
            command=speak,
            networks=[{"network": {"get_resource": "net"}}],
            environment={"URL": {"get_attr": ["handle", "url"]}, "SAYS": says},
        )
        condition = of("WaitCondition", handle={"get_resource": "handle"}, timeout=60)
        return {"net": of("Network"), "handle": of("WaitConditionHandle"), "guest": guest, "told": condition}

    bad = '{"status": "FAILURE", "reason": "no disk", "id": "one"}'
    failed = terrace.up("word", stack(bad), code=1)
    assert "signal one reports a failure: no disk" in failed.out + failed.err
    terrace.up("word", stack('{"status": "SUCCESS", "id": "one", "data": "there"}'))
    terrace.stands("word", "net", "guest")
    terrace.down("word")


def test_the_door_is_all_there_is_to_knock_at(terrace: Terrace, tiny_image: str) -> None:
    """On the gateway there is nothing but signals; it is gone with the network."""
    terrace.up("door", {"net": of("Network", cidr="10.77.9.0/24"), "handle": of("WaitConditionHandle")})
    gateway = terrace.resources("door")["net"]["attributes"]["gateway"]
    place = f"http://{gateway}:{DOOR}"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def status(path: str, body: bytes | None = None) -> int:
        try:
            with opener.open(place + path, data=body, timeout=5) as reply:
                return int(reply.status)
        except urllib.error.HTTPError as error:
            return error.code

    terrace.until(lambda: _hears(status), 20, why="the door to be open")
    for path in ("/", "/v1/version", "/v1/projects/default/stacks", "/v1/openapi.json"):
        assert status(path) == 404, path
    assert status("/v1/signals/nobody-1/token", b"{}") == 404
    terrace.down("door")
    closed = {"event": "signals.closed", "address": f"{gateway}:{DOOR}"}

    def told() -> bool:
        lines = (json.loads(line) for line in terrace.log.splitlines() if "signals.closed" in line)
        return any(closed.items() <= line.items() for line in lines)

    terrace.until(told, 10, why="the door to be closed")


def _hears(status: Any) -> bool:
    try:
        return bool(status("/v1/version") == 404)
    except OSError:
        return False


def test_a_rolling_update_never_goes_under_min_in_service(terrace: Terrace, tiny_image: str) -> None:
    """The engine is asked all the while how many machines of the group run."""

    def stack(word: str) -> dict[str, Any]:
        group = of(
            "AutoScalingGroup",
            min_size=1,
            max_size=6,
            desired_capacity=4,
            resource_def={"type": "Terrace::Machine", **_member(tiny_image, word)},
        )
        policy = {"rolling_update": {"min_in_service": 3, "max_batch_size": 2}}
        group["properties"]["update_policy"] = policy
        return {"web": group}

    terrace.up("roll", stack("one"))
    fewest, ends = [99], threading.Event()

    def count() -> None:
        while not ends.is_set():
            fewest[0] = min(
                fewest[0], len(terrace.engine.containers("label=terrace.stack=roll", running=True))
            )
            time.sleep(0.05)

    counting = threading.Thread(target=count)
    counting.start()
    try:
        terrace.up("roll", stack("two"))
    finally:
        ends.set()
        counting.join()
    assert fewest[0] >= 3
    environments = [one["Config"]["Env"] for one in terrace.inspect_all()]
    assert len(environments) == 4
    assert all("WORD=two" in environment for environment in environments)
    terrace("scale", "roll", "web", "2")
    terrace.until(lambda: len(terrace.engine.containers("label=terrace.stack=roll")) == 2, why="two members")
    assert terrace("scale", "roll", "web", "-o", "json").json["size"] == 2
    terrace("scale", "roll", "web", "7", code=1)
    terrace.down("roll")


def _member(image: str, word: str) -> dict[str, Any]:
    return {"properties": machine(image, environment={"WORD": word})["properties"]}


def test_a_group_grows_and_shrinks_by_the_url_of_an_alarm(terrace: Terrace, tiny_image: str) -> None:
    """A guest tells the alarm what it sees, through the gateway of its network; the alarm calls the policies."""
    terrace.up("grow", _growing(tiny_image))
    assert len(terrace.engine.containers("label=terrace.stack=grow")) == 3

    def tell(state: str) -> str:
        said = json.dumps({"state": state, "reason": "cpu"})
        speak = f"wget -q -O - --post-data '{said}' \"$URL\""
        return terrace("exec", "grow/sensor", "--", "sh", "-c", speak).out

    def members(count: int) -> None:
        terrace.until(
            lambda: len(terrace.engine.containers("label=terrace.stack=grow")) == count + 1,
            why=f"{count} members",
        )
        terrace.settled("grow")

    assert "it was in state insufficient data" in tell("alarm")
    members(3)
    alarm = terrace.resources("grow")["cpu"]["attributes"]
    assert (alarm["state"], alarm["called"]) == ("alarm", ["web goes from 2 to 3 members"])
    tell("ok")
    members(1)
    tell("ok")
    assert terrace.resources("grow")["cpu"]["attributes"]["state"] == "ok"
    assert terrace("signal", "send", "grow", "cpu", "--state", "alarm").out == ""
    members(2)
    assert terrace.plan("grow") == {}
    terrace.down("grow")


def _growing(image: str) -> dict[str, Any]:
    def policy(adjustment: int) -> Any:
        return {
            "type": "OS::Heat::ScalingPolicy",
            "properties": {
                "auto_scaling_group_id": {"get_resource": "web"},
                "adjustment_type": "change_in_capacity",
                "scaling_adjustment": adjustment,
            },
        }

    alarm = {
        "meter_name": "cpu_util",
        "threshold": 80,
        "alarm_actions": [{"get_attr": ["more", "alarm_url"]}],
        "ok_actions": [{"get_attr": ["less", "alarm_url"]}],
        "repeat_actions": False,
    }
    member = {"type": "Terrace::Machine", **_member(image, "one")}
    sensor = machine(
        image,
        networks=[{"network": {"get_resource": "net"}}],
        environment={"URL": {"get_attr": ["cpu", "alarm_url"]}},
    )
    return {
        "net": of("Network"),
        "web": of("AutoScalingGroup", min_size=1, max_size=3, desired_capacity=2, resource_def=member),
        "more": policy(1),
        "less": policy(-2),
        "cpu": {"type": "OS::Aodh::Alarm", "properties": alarm},
        "sensor": sensor,
    }
