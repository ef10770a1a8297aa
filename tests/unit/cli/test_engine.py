"""`terrace engine`: who works on what, and how one is taken out."""

from __future__ import annotations

from tests.unit.cli.samples import page
from tests.unit.client.fake_server import Answer, problem


def an_engine(name: str, state: str = "working", stacks: int = 3) -> dict[str, object]:
    return {
        "name": name, "id": f"{name}-1", "state": state, "roles": ["api", "engine"],
        "stacks": stacks, "started": 1000.0, "heard": 1000.0, "version": 6,
    }  # fmt: skip


def test_engines_are_listed(terrace, routes) -> None:
    routes["GET /v1/engines"] = page(an_engine("rack1"), an_engine("rack2", "drained", 0))
    ran = terrace("engine", "list")
    assert ran.code == 0
    head, first, second = ran.out.splitlines()
    assert head.split()[:4] == ["ENGINE", "STATE", "ROLES", "STACKS"]
    assert first.split()[:5] == ["rack1", "working", "api,", "engine", "3"]
    assert second.split()[:2] == ["rack2", "drained"]
    assert terrace("engine", "list", "-o", "name").out == "rack1\nrack2\n"


def test_a_drain_waits_until_nothing_is_left(terrace, routes) -> None:
    looks = iter([an_engine("rack2", "draining", 1), an_engine("rack2", "drained", 0)])
    routes["POST /v1/engines/rack2/drain"] = an_engine("rack2", "draining", 2)
    routes["GET /v1/engines"] = lambda request: Answer(page(an_engine("rack1"), next(looks)))
    ran = terrace("engine", "drain", "rack2")
    assert (ran.code, ran.out) == (0, 'engine "rack2" has no stacks left: it can be stopped\n')
    assert next(looks, None) is None


def test_a_drain_that_takes_too_long_says_so(terrace, routes) -> None:
    routes["POST /v1/engines/rack2/drain"] = an_engine("rack2", "draining", 2)
    ran = terrace("engine", "drain", "rack2", "--timeout", "0")
    assert ran.code == 3
    assert 'engine "rack2" still works on 2 stacks' in ran.err


def test_a_drain_is_taken_back(terrace, routes) -> None:
    routes["POST /v1/engines/rack2/drain"] = an_engine("rack2", "working", 0)
    ran = terrace("engine", "drain", "rack2", "--off")
    assert (ran.code, ran.out) == (0, 'engine "rack2" takes stacks again\n')


def test_nobody_else_is_there(terrace, routes) -> None:
    routes["POST /v1/engines/rack1/drain"] = problem(
        409, "no-other-engine", "no engine but rack1 takes stacks"
    )
    assert terrace("engine", "drain", "rack1").code == 4
