"""Load balancers as a user sees them: machines come and go behind one, and it comes back whatever happens to it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from tests.real.crowd import Crowd, get

if TYPE_CHECKING:
    from tests.real.level.rig import Terrace

EXAMPLES = Path(__file__).parents[3] / "examples"
FOLDER = "/var/lib/terrace/balance"
PARTS = ("balancer", "front", "pool", "check")


def test_the_example_under_load(terrace: Terrace, base_image: str, proxy_image: str) -> None:
    """No request fails while the group grows and shrinks; a proxy that was killed, changed or removed is made good."""
    file = bring(terrace)
    terrace("up", file, "--yes", timeout=300)
    terrace.settled("balanced")
    url = terrace("output", "balanced", "url").out.strip()
    address = url.removeprefix("http://").rstrip("/")
    terrace.until(lambda: {get(address) for _ in range(4)} == {"web-0", "web-1"}, why="both to answer")
    with Crowd(address) as crowd:
        for webs, names in ((3, ("web-0", "web-1", "web-2")), (1, ("web-0",))):
            terrace("up", file, "--yes", "-p", f"webs={webs}", timeout=300)
            terrace.until(crowd.heard(*names), why=f"{names} to answer")
    crowd.judge()
    assert {get(address) for _ in range(4)} == {"web-0"}

    proxy = terrace.container("balanced", "balancer")
    terrace.engine.cli("kill", proxy)
    terrace.until(lambda: get(address) == "web-0", why="the killed proxy to come back")
    assert terrace.container("balanced", "balancer") == proxy

    terrace.engine.cli("exec", proxy, "sh", "-c", f"sed -i '/bind 10/d' {FOLDER}/haproxy.cfg")
    terrace.until(lambda: "bind 10" in config(terrace, proxy), why="its configuration to be put back")

    terrace.engine.cli("rm", "--force", proxy)
    terrace.until(lambda: get(address) == "web-0", why="all of it to be made anew, at the same address")
    terrace.settled("balanced")
    fresh = terrace.resources("balanced")
    assert fresh["balancer"]["provider_id"] != proxy
    assert all(fresh[path]["provider_id"].startswith(fresh["balancer"]["provider_id"][:12]) for path in PARTS)
    assert terrace.plan("balanced", "-p", "webs=1") == {}
    terrace.down("balanced")


def bring(terrace: Terrace) -> str:
    """The example, brought to the user."""
    shutil.copytree(EXAMPLES / "balanced", terrace.folder / "balanced", dirs_exist_ok=True)
    return str(shutil.copy(EXAMPLES / "balanced.yaml", terrace.folder))


def config(terrace: Terrace, proxy: str) -> str:
    return terrace.engine.cli("exec", proxy, "cat", f"{FOLDER}/haproxy.cfg")
