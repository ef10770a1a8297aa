"""Doors and what waits at them, as the built-in provider keeps them."""

from __future__ import annotations

import json
from typing import Any

from msgspec.structs import replace

from terrace.model.spec.signal import ConditionSpec, HandleSpec
from terrace.model.step import Verb
from terrace.model.value import Secret
from tests.contracts.test_builtin_driver import Bench

ME = f"{'a' * 20}-1"


def signal(status: str = "SUCCESS", data: Any = None, at: float = 1.0, to: str = ME) -> dict[str, Any]:
    return {"status": status, "reason": "", "data": data, "at": at, "to": to}


async def update(bench: Bench, kind: str, spec: Any, before: dict[str, Any], *fields: str) -> dict[str, Any]:
    more = {"provider_id": ME, "attributes": before, "fields": fields}
    seen, _ = await bench.finish(Verb.UPDATE, kind, spec, **more)
    assert seen is not None
    return seen.attributes


async def test_a_token_is_random_secret_and_stays_until_another_is_asked_for() -> None:
    bench = Bench()
    made = await bench.attributes("WaitConditionHandle", HandleSpec())
    token = made["token"]
    assert isinstance(token, Secret)
    assert len(token.reveal()) == 64
    assert made["endpoint"] == f"http://127.0.0.1/v1/signals/{ME}"
    assert made["url"].reveal() == f"{made['endpoint']}/{token.reveal()}"
    assert f"'X-Auth-Token: {token.reveal()}'" in made["curl_cli"].reveal()
    assert made["curl_cli"].reveal().endswith(made["endpoint"])
    other = await Bench(seed=2).attributes("WaitConditionHandle", HandleSpec())
    assert other["token"] != token
    later = await update(bench, "WaitConditionHandle", HandleSpec(signals={"1": signal()}), made)
    assert later["token"] == token
    turned = await update(bench, "WaitConditionHandle", HandleSpec(rotation=1), made)
    assert turned["token"] not in (token, Secret(""))
    closed = await update(bench, "WaitConditionHandle", HandleSpec(rotation=-1), turned)
    assert closed["token"] == Secret("")


async def test_a_reference_is_what_was_asked_for() -> None:
    made = await Bench().attributes("WaitConditionHandle", HandleSpec())
    assert made["reference"] == ME
    aws = await Bench().attributes("WaitConditionHandle", HandleSpec(form="url"))
    assert aws["reference"] == aws["url"]


async def test_a_handle_shows_the_signals_that_were_meant_for_it_in_the_order_they_came() -> None:
    came = {"z": signal(at=1.0, data="first"), "a": signal(at=2.0), "old": signal(to=f"{'a' * 20}-0")}
    made = await Bench().attributes("WaitConditionHandle", HandleSpec(signals=came))
    assert list(made["signals"]) == ["z", "a"]
    assert made["signals"]["z"] == {"status": "SUCCESS", "reason": "", "data": "first", "at": 1.0}


async def test_a_condition_remembers_that_it_held() -> None:
    bench = Bench()
    began = bench.clock.now()
    waiting = ConditionSpec("h", count=1)
    made = await bench.attributes("WaitCondition", waiting)
    assert (made["met"], made["since"], made["data"]) == (0, began, "{}")
    await bench.clock.sleep(10)
    held = replace(waiting, signals={"1": signal(data="x")})
    holds = await update(bench, "WaitCondition", held, made, "signals")
    assert (holds["met"], holds["since"], json.loads(holds["data"])) == (1, began, {"1": "x"})
    failed = replace(held, signals={"1": signal("FAILURE")})
    assert (await update(bench, "WaitCondition", failed, holds, "signals"))["met"] == 1
    more = await update(bench, "WaitCondition", replace(held, count=2), holds, "count")
    assert (more["met"], more["since"]) == (0, began + 10)
