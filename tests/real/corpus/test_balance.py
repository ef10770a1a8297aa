"""Sites that scale behind a load balancer."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.real.corpus.test_machines import private, up
from tests.real.corpus.test_values import output
from tests.real.corpus.test_values import paths as ready
from tests.real.crowd import Crowd, get
from tests.real.images import with_program
from tests.real.level.rig import of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.real.engine import Engine
    from tests.real.level.rig import Terrace

__all__ = ["private"]

PROGRAMS = ("yum", "systemctl", "mysql", "mysqladmin", "setsebool")
SITE = "/wordpress/"


@pytest.fixture
def fedora(engine: Engine, base_image: str) -> Iterator[str]:
    """A guest that knows the programs that these templates call."""
    program = Path(__file__).with_name("fedora.py")
    yield with_program(engine, base_image, "terrace-test/fedora:1", program, *PROGRAMS)
    engine.cli("rmi", "terrace-test/fedora:1", check=False)


def test_autoscaling(
    terrace: Terrace, corpus: Path, fedora: str, tiny_image: str, proxy_image: str, private: str
) -> None:
    """A site with its database behind a load balancer and a floating address. The word of the policy's URL makes it
    larger, and the new member is sent requests, while nobody's request fails."""
    words = ["-p", "key=stack_key", "-p", f"image={fedora}", "-p", "external_network_id=public"]
    for name in ("flavor", "database_flavor"):
        words += ["-p", f"{name}=m1.tiny"]
    for name in ("network", "subnet_id"):
        words += ["-p", f"{name}={private}"]
    up(terrace, corpus / "autoscaling.yaml", "press", *words)
    vip = output(terrace, "press", "pool_ip_address")
    floating = output(terrace, "press", "website_url").split("/")[2]
    terrace.until(lambda: get(vip, path=SITE) not in ("", "403", "500", "503"), why="the site to answer")
    first = get(vip, path=SITE)
    assert {get(floating, path=SITE) for _ in range(3)} == {first}

    with Crowd(floating, path=SITE) as crowd:
        signal(terrace, terrace("output", "press", "scale_up_url", "--reveal").out.strip())

        terrace.until(lambda: "asg/1" in ready(terrace, "press"), why="the new member to be there")
        fresh = (f"10.221.50.{number}" for number in range(200, 250))
        terrace.until(
            lambda: ask(terrace, tiny_image, vip, next(fresh)) not in (first, ""),
            why="the new member to be sent what new clients ask",
        )
    crowd.judge()
    assert set(crowd.answers) == {first}, "who came first is kept with its member"
    for stack in ("press", "door"):
        terrace.down(stack)


def signal(terrace: Terrace, url: str) -> None:
    """Posts to a URL as guests do, who find the server at the gateway of a network of ours."""
    terrace.up("door", {"net": of("Network", cidr="10.221.70.0/24")})
    gateway = terrace.resources("door")["net"]["attributes"]["gateway"]
    request = urllib.request.Request(url.replace("signals.terrace.internal", gateway), method="POST")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def heard() -> bool:
        try:
            opener.open(request, timeout=5).close()
        except urllib.error.HTTPError:
            raise
        except OSError:
            return False
        return True

    terrace.until(heard, 20, why="the door for signals to be open")


def ask(terrace: Terrace, image: str, address: str, client: str) -> str:
    """Who answers a client that has an address of its own."""
    wget = ("wget", "-q", "-O", "-", f"http://{address}{SITE}")
    return terrace.engine.cli(
        "run", "--rm", "--network", "private", "--ip", client, image, *wget, check=False
    )
