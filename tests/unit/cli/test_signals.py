"""terrace signal and terrace scale."""

from __future__ import annotations

import json

from tests.unit.cli.samples import SHOP, event, page, stack, stream
from tests.unit.client.fake_server import Answer, problem

CAME = {"path": "h", "id": "1", "status": "SUCCESS", "reason": "done", "data": {"a": 1}, "at": 0.0}
COUNTS = {"path": "web", "size": 6, "who": "ann", "why": "the fair", "at": 0.0, "minimum": 1, "maximum": 9}
TAKEN = {"id": "1", "status": "SUCCESS", "message": "signal 1: SUCCESS"}


def test_signals_are_listed(terrace, routes) -> None:
    routes[f"GET {SHOP}/signals"] = page(CAME)
    ran = terrace("signal", "list", "shop")
    assert ran.out.splitlines()[1].split() == ["h", "1", "SUCCESS", "done", '{"a":', "1}"]
    assert json.loads(terrace("signal", "list", "shop", "h", "-o", "json").out) == [CAME]
    routes[f"GET {SHOP}/signals"] = page()
    assert terrace("signal", "list", "shop").err == "terrace: no signals came\n"


def test_a_signal_is_sent(terrace, routes, server) -> None:
    routes[f"POST {SHOP}/signals/group/0/h"] = TAKEN
    ran = terrace("signal", "send", "shop", "group/0/h", "--data", '{"a": 1}', "--id", "x", "--reason", "r")
    assert ran.err == "terrace: signal 1: SUCCESS\n"
    assert server.requests[-1].body == {"data": {"a": 1}, "id": "x", "reason": "r"}
    terrace("signal", "send", "shop", "group/0/h", "--status", "FAILURE", "--data", "plain words")
    assert server.requests[-1].body == {"status": "FAILURE", "data": "plain words"}
    terrace("signal", "send", "shop", "cpu-high", "--state", "insufficient data")
    assert server.requests[-1].body == {"state": "insufficient data"}


def test_a_token_is_changed_only_with_a_yes(terrace, routes, server) -> None:
    routes[f"POST {SHOP}/tokens/h"] = Answer(stack(), 202)
    ran = terrace("signal", "rotate", "shop", "h")
    assert ran.code == 1
    assert "needs a yes" in ran.err
    assert terrace("signal", "rotate", "shop", "h", "--yes").code == 0
    assert server.requests[-1].body == {"revoke": False}
    assert "closed" in terrace("signal", "rotate", "shop", "h", "--yes", "--revoke").err
    assert server.requests[-1].body == {"revoke": True}


def test_a_size_is_shown_and_set(terrace, routes, server) -> None:
    routes[f"GET {SHOP}/sizes/web"] = COUNTS
    assert terrace("scale", "shop", "web").out == "6 of 1 to 9, said by ann (the fair)\n"
    routes[f"PUT {SHOP}/sizes/web"] = Answer(stack(phase="settling"), 202)
    routes[f"GET {SHOP}"] = stack()
    routes[f"GET {SHOP}/outputs"] = page()
    routes[f"GET {SHOP}/events"] = stream(event(1, "stack.settled"))
    ran = terrace("scale", "shop", "web", "6", "--why", "the fair", "--no-follow")
    assert ran.code == 0
    assert [one.body for one in server.requests if one.method == "PUT"] == [{"size": 6, "why": "the fair"}]
    assert terrace("scale", "shop", "web", "6").code == 0
    routes[f"PUT {SHOP}/sizes/web"] = problem(400, "out-of-bounds", "from 1 to 9 members, not 12")
    assert terrace("scale", "shop", "web", "12").code == 1
    assert terrace("scale", "shop", "web", "-1").code != 0
