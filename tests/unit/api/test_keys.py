"""Rotation of the keys under stacks that stand: nothing of them changes by it, and nobody has to wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.unit.api.rig import SHOP, STACKS, Rig, running
from tests.unit.api.test_secrecy import SECRET, TEMPLATE
from tests.unit.api.test_secrets import set_secret

KEYS = "/v1/keys"
GIVEN = {"password": "secret:db"}


@pytest.fixture
async def lasting(tmp_path: Path) -> AsyncIterator[Rig]:
    async with running(tmp_path, lasting=True) as rig:
        tending = asyncio.create_task(rig.services.keys.tend())
        yield rig
        tending.cancel()
        with suppress(asyncio.CancelledError):
            await tending


async def sealed_anew(rig: Rig) -> dict[str, Any]:
    """How the keys stand once a rotation is through."""
    async with asyncio.timeout(20):
        while True:
            status = await rig.get(KEYS)
            if status["rotation"]["finished"]:
                return dict(status)
            await asyncio.sleep(0)


async def test_a_settled_stack_stays_settled(lasting: Rig) -> None:
    await set_secret(lasting, "db", SECRET)
    assert (await lasting.up(TEMPLATE, parameters=GIVEN)).json()["phase"] == "settled"
    plain = TEMPLATE.replace("hidden: true", f"hidden: true, default: {SECRET}")
    assert (await lasting.up(plain, "blog")).json()["phase"] == "settled"
    events = (await lasting.get("/v1/events"))["items"]
    first = (await lasting.get(KEYS))["masters"][0]["id"]
    begun = await lasting.http.post(KEYS + "/rotate")
    assert begun.status_code == 200, begun.text
    written = await set_secret(lasting, "other", SECRET)  # beside it, people go on
    assert written.status_code == 201
    status = await sealed_anew(lasting)
    assert [one["needed"] for one in status["masters"]] == ["", "it is the newest"]
    for name, template, given in (("shop", TEMPLATE, GIVEN), ("blog", plain, {})):
        plan = await lasting.put(template, name, parameters=given, query={"dry_run": 1})
        assert plan.json()["changes"] is False, plan.text
    assert (await lasting.get("/v1/events"))["items"] == events
    assert (await lasting.http.delete(f"{KEYS}/{first}")).status_code == 200
    assert (await lasting.get(f"{SHOP}/outputs/a", reveal=1))["value"] == SECRET


async def test_what_people_keep_is_good_after_a_rotation(lasting: Rig) -> None:
    """A saved plan and an abandoned stack were sealed with a data key that is still there."""
    await set_secret(lasting, "db", SECRET)
    await lasting.up(TEMPLATE, parameters=GIVEN)
    changed = TEMPLATE.replace("x-P", "y-P")
    plan = (await lasting.put(changed, parameters=GIVEN, query={"dry_run": 1, "seal": 1})).json()
    left = await lasting.up(TEMPLATE, "left", parameters={"password": SECRET})
    assert left.json()["phase"] == "settled"
    document = (await lasting.http.get(f"{STACKS}/left/document")).json()
    assert SECRET not in str(document)
    assert (await lasting.http.post(f"{STACKS}/left/abandon")).status_code == 200
    first = (await lasting.get(KEYS))["masters"][0]["id"]
    await lasting.http.post(KEYS + "/rotate")
    await sealed_anew(lasting)
    await lasting.http.delete(f"{KEYS}/{first}")
    applied = await lasting.http.put(SHOP, json={"sealed": plan["sealed"]})
    assert applied.status_code == 200, applied.text
    adopted = await lasting.http.post(f"{STACKS}/found/adopt", json=document)
    assert adopted.status_code in (200, 201), adopted.text


async def test_no_key_and_no_secret_is_said_anywhere(lasting: Rig, tmp_path: Path) -> None:
    await set_secret(lasting, "db", SECRET)
    await lasting.up(TEMPLATE, parameters=GIVEN)
    await lasting.http.post(KEYS + "/rotate")
    told = [
        (await lasting.http.get(KEYS)).text,
        str(await sealed_anew(lasting)),
        str(lasting.telemetry.lines),
    ]
    keys = [line.split()[-1] for line in (tmp_path / "key").read_text().splitlines() if line[0] != "#"]
    files = [path.read_bytes() for path in tmp_path.iterdir() if path.name.startswith("terrace.db")]
    for one in (SECRET, *keys):
        assert all(one not in text for text in told)
        assert all(one.encode() not in held for held in files)


async def test_one_rotation_at_a_time(lasting: Rig) -> None:
    await lasting.http.post(KEYS + "/rotate")
    again = await lasting.http.post(KEYS + "/rotate")
    assert (again.status_code, again.json()["code"]) == (409, "rotation-under-way")
    status = await sealed_anew(lasting)
    newest = status["masters"][-1]["id"]
    refused = await lasting.http.delete(f"{KEYS}/{newest}")
    assert (refused.status_code, refused.json()["code"]) == (409, "key-in-use")
    assert (await lasting.http.delete(f"{KEYS}/00000000")).status_code == 404
