"""Templates of values, choices and groups."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from tests.real.level.rig import Terrace


def output(terrace: Terrace, stack: str, name: str) -> Any:
    """The value of an output."""
    return terrace("output", stack, name, "-o", "json").json["value"]


def paths(terrace: Terrace, stack: str) -> set[str]:
    """The resources of a stack that are there."""
    return {path for path, one in terrace.resources(stack).items() if one["state"] == "ready"}


def test_condition(terrace: Terrace, corpus: Path) -> None:
    """A condition is flipped, there and back: what it hangs on comes and goes."""
    file = str(corpus / "condition.yaml")
    always = {"test_res", "not_shannxi_res"}
    terrace("up", file, "-s", "chosen", "--yes")
    assert paths(terrace, "chosen") == always | {"test_res1"}
    assert output(terrace, "chosen", "test_res_value") == "env_is_test"
    assert output(terrace, "chosen", "prod_resource") == "no_prod_res"
    assert output(terrace, "chosen", "res_value") is None

    terrace("up", file, "-s", "chosen", "--yes", "-p", "env_type=prod")
    assert paths(terrace, "chosen") == always | {"prod_res", "beijing_prod_res"}
    assert output(terrace, "chosen", "res_value") == "prod_res"
    assert output(terrace, "chosen", "test_res1_value") == "no_test_res1"

    terrace("up", file, "-s", "chosen", "--yes", "-p", "zone=xiamen", "-p", "env_type=prod")
    assert paths(terrace, "chosen") == always | {"prod_res", "fujian_res", "fujian_prod_res"}
    terrace("up", file, "-s", "chosen", "--yes", "-p", "zone=xian")
    assert paths(terrace, "chosen") == {"test_res", "test_res1", "shannxi_res"}
    terrace.down("chosen")


def test_random(terrace: Terrace, corpus: Path) -> None:
    """A parameter that points into a list."""
    words = (
        "up",
        str(corpus / "resource_group" / "random.yaml"),
        "-s",
        "lot",
        "--yes",
        "-p",
        "lengths=8,16,24",
    )
    terrace(*words, "-p", "index=1")
    first = output(terrace, "lot", "value")
    assert len(first) == 16
    terrace(*words, "-p", "index=1")
    assert output(terrace, "lot", "value") == first, "made once and kept"
    terrace(*words, "-p", "index=2")
    assert len(output(terrace, "lot", "value")) == 24
    terrace.down("lot")


def test_resource_group(terrace: Terrace, corpus: Path) -> None:
    """Members by number, and an attribute of all of them; then the group is made larger and smaller."""
    text = (corpus / "resource_group" / "resource_group.yaml").read_text()
    file = terrace.folder / "resource_group.yaml"
    file.write_text(text)
    terrace("up", str(file), "-s", "lots", "--yes")
    values = output(terrace, "lots", "all_values")
    assert len(set(values)) == 2
    assert values == [output(terrace, "lots", f"resource{number}_value") for number in (1, 2)]

    file.write_text(text.replace("count: 2", "count: 5"))
    terrace("up", str(file), "-s", "lots", "--yes")
    grown = output(terrace, "lots", "all_values")
    assert len(set(grown)) == 5
    assert grown[:2] == values

    file.write_text(text)
    terrace("up", str(file), "-s", "lots", "--yes")
    assert output(terrace, "lots", "all_values") == values
    terrace.down("lots")


def test_instance_group(terrace: Terrace, corpus: Path, tiny_image: str) -> None:
    """Instances of one launch configuration; the group is resized."""
    words = ("up", str(corpus / "instance_group.yaml"), "-s", "many", "--yes", "-p", "key_name=stack_key")
    words += ("-p", f"image_id={tiny_image}", "-p", "instance_type=m1.nano")

    def running() -> list[dict[str, Any]]:
        terrace.settled("many")
        return [one for one in terrace.inspect_all() if one["State"]["Running"]]

    terrace(*words)
    (first,) = running()
    assert first["HostConfig"]["Memory"] == 64 * 1024 * 1024
    terrace(*words, "-p", "num_instances=3")
    grown = running()
    assert len(grown) == 3
    assert first["Id"] in {one["Id"] for one in grown}
    addresses = json.loads(json.dumps(output(terrace, "many", "server_group_addresses"))).split(",")
    seen = {end["IPAddress"] for one in grown for end in one["NetworkSettings"]["Networks"].values()}
    assert set(addresses) == seen
    terrace(*words, "-p", "num_instances=1")
    assert len(running()) == 1
    terrace.down("many")
