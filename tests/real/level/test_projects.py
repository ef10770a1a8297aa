"""Two projects on one engine: machines reach each other when the templates of both say so, and not before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.real.level.rig import machine, of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.real.engine import Engine
    from tests.real.level.rig import Terrace

WEB = "10.221.61.77"
SERVE = "nc -ll -p 80 -e echo served & exec sleep 2147483647"


@pytest.fixture
def projects(terrace: Terrace) -> Iterator[Terrace]:
    """The user; at the end nothing is left of projects a and b."""
    yield terrace
    for project in ("b", "a"):
        for name in terrace("list", "-o", "name", "--project", project, code=None).out.split():
            terrace("down", name, "--yes", "--project", project, code=None)


def shop(image: str, *projects: str) -> dict[str, Any]:
    """A server on a network, a port of which is published on loopback, and a volume."""
    more = {"shared_with": list(projects)} if projects else {}
    return {
        "lan": of("Network", cidr="10.221.61.0/24", **more),
        "data": of("Volume"),
        "web": machine(
            image,
            command=SERVE,
            networks=[{"network": {"get_resource": "lan"}, "ip": WEB}],
            publish=["127.0.0.1:18061:80"],
        ),
    }


def spy(image: str, *networks: str) -> dict[str, Any]:
    """A machine on a network of its own, and on others."""
    own = {"get_resource": "own"}
    return {
        "own": of("Network", cidr="10.221.62.0/24"),
        "client": machine(image, networks=[own, *networks]),
    }


def reaches(terrace: Terrace, address: str, port: int = 80) -> bool:
    words = ("exec", "--project", "b", "spy/client", "--", "nc", "-w", "2", address, str(port))
    return terrace(*words, code=None).out == "served\n"


def made(terrace: Terrace, path: str) -> str:
    """The engine's id of something in the shop."""
    items = terrace("status", "shop", "--project", "a", "-o", "json").json["resources"]
    return str(next(item["provider_id"] for item in items if item["path"] == path))


def test_machines_of_two_projects(projects: Terrace, tiny_image: str) -> None:
    terrace = projects
    terrace.up("shop", shop(tiny_image), "--project", "a")
    terrace.up("spy", spy(tiny_image), "--project", "b")
    lan, data = made(terrace, "lan"), made(terrace, "data")
    assert not reaches(terrace, WEB)
    assert not reaches(terrace, "10.221.61.1", 18061)
    assert not reaches(terrace, "10.221.62.1", 18061)

    # one says so: nothing changes, and the other's is not there
    for network in (lan, lan[:12], "host", "none", "container:web"):
        done = terrace.up("spy", spy(tiny_image, network), "--project", "b", code=1)
        assert "there is no Network" in done.err, done
    volume = of("Volume", source=data)
    done = terrace.up("copy", {"copy": volume}, "--project", "b", code=1)
    assert f"there is no Volume '{data}'" in done.err, done
    assert not reaches(terrace, WEB)

    # the other says so, too
    terrace.up("shop", shop(tiny_image, "b"), "--project", "a")
    assert made(terrace, "lan") == lan
    assert not reaches(terrace, WEB)
    terrace.up("spy", spy(tiny_image, lan), "--project", "b")
    assert reaches(terrace, WEB)
    # a volume is not shared by sharing a network
    assert terrace.up("copy", {"copy": volume}, "--project", "b", code=1)

    # who lent it takes it back, and the other is cut off, whatever that one's template says
    terrace.up("shop", shop(tiny_image), "--project", "a")
    assert not reaches(terrace, WEB)
    terrace.up("spy", spy(tiny_image, lan), "--project", "b", code=1)
    terrace.up("shop", shop(tiny_image, "b"), "--project", "a")
    terrace.up("spy", spy(tiny_image, lan), "--project", "b")
    # what it saw of its machine may be older than the cut
    terrace.until(lambda: reaches(terrace, WEB), why="the machine to be on the network again")

    # both take it back
    terrace.up("spy", spy(tiny_image), "--project", "b")
    assert not reaches(terrace, WEB)
    terrace.up("shop", shop(tiny_image), "--project", "a")
    terrace.up("spy", spy(tiny_image, lan), "--project", "b", code=1)
    assert not reaches(terrace, WEB)


@pytest.mark.usefixtures("base_image")  # it copies the volume
def test_what_others_made_on_the_engine(projects: Terrace, tiny_image: str, engine: Engine) -> None:
    """By default the owner's own project may name it, and no other."""
    engine.cli("network", "create", "--subnet", "10.221.63.0/24", "lan-of-others")
    engine.cli("volume", "create", "data-of-others")
    try:
        resources = {
            "vm": machine(tiny_image, networks=["lan-of-others"]),
            "copy": of("Volume", source="data-of-others"),
        }
        for name, resource in resources.items():
            done = projects.up("guest", {name: resource}, "--project", "b", code=1)
            assert "of-others' on 'local' that this project may refer to" in done.err, done
        projects.up("guest", resources)
        projects.down("guest")
    finally:
        engine.cli("network", "rm", "lan-of-others")
        engine.cli("volume", "rm", "data-of-others")
