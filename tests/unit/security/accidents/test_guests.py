"""Guests: what they are given opens one door, and what they send is data."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from typing import Any

import httpx
import pytest

from terrace.api import build_doors
from terrace.drivers.docker.inside.archive import members
from tests.unit.api.rig import SHOP, STACKS, Rig
from tests.unit.api.test_signals import WAITING, door, output, say, until

TWO = """resources:
  one: {type: 'OS::Heat::WaitConditionHandle'}
  two: {type: 'OS::Heat::WaitConditionHandle'}
outputs:
  token: {value: {get_attr: [one, token]}}
  endpoint: {value: {get_attr: [one, endpoint]}}
  other: {value: {get_attr: [two, endpoint]}}
"""


async def opened(rig: Rig) -> tuple[str, str]:
    """The address of a door of stack shop, and its token."""
    return await door(rig), await until(lambda: output(rig, "token"))


async def test_heat_cve_2013_6426_and_magnum_cve_2016_7404_what_a_guest_has_makes_and_changes_nothing(
    rig: Rig,
) -> None:
    await rig.up(TWO)
    _, token = await opened(rig)
    guest = rig.client(token)
    for method, path in (
        ("PUT", f"{STACKS}/mine"),
        ("PUT", SHOP),
        ("DELETE", SHOP),
        ("GET", SHOP),
        ("GET", f"{SHOP}/outputs?reveal=1"),
        ("POST", f"{SHOP}/tokens/one"),
        ("POST", "/v1/tokens"),
    ):
        answer = await guest.request(method, path, content=b"{}" if method != "GET" else None)
        assert answer.status_code == 401, path
    assert [one["name"] for one in (await rig.get(STACKS))["items"]] == ["shop"]
    transport = httpx.ASGITransport(build_doors(rig.services))
    async with httpx.AsyncClient(transport=transport, base_url="http://doors") as outside:
        assert (await outside.put(SHOP, headers={"X-Auth-Token": token}, content=b"{}")).status_code == 404


async def test_salt_cve_2016_9639_who_comes_back_under_a_name_is_not_who_was_there_before(rig: Rig) -> None:
    await rig.up(TWO)
    url, token = await opened(rig)
    assert (await say(rig, url, token)).status_code == 200
    assert (await rig.http.delete(SHOP, params={"wait": "gone", "timeout": 20})).status_code < 300

    async def gone() -> bool:
        return (await rig.http.get(SHOP)).status_code == 404

    await until(gone)
    await rig.up(TWO)
    fresh, other = await opened(rig)
    assert (fresh, other) != (url, token)
    assert fresh != url
    for at in (url, fresh):
        assert (await say(rig, at, token)).status_code == 404
    assert (await say(rig, fresh, other)).status_code == 200


async def test_senlin_the_id_of_a_webhook_alone_opens_nothing(rig: Rig) -> None:
    await rig.up(TWO)
    url, token = await opened(rig)
    other = "/v1/" + (await output(rig, "other")).partition("/v1/")[2]
    assert len(token) == 64
    assert token not in url
    for at, said in ((url, ""), (url, "0" * 64), (other, token), (url, token[:-1]), (url, token + "0")):
        assert (await say(rig, at, said)).status_code == 404
    assert (await rig.http.post(SHOP + "/tokens/one")).status_code == 202

    async def another() -> str:
        now: str = await output(rig, "token")
        return now if now != token else ""

    fresh = await until(another)
    assert (await say(rig, url, token)).status_code == 404, "what was rotated away is worth nothing"
    assert (await say(rig, url, fresh)).status_code == 200


FORMS: tuple[Any, ...] = (
    "{{ lookup('pipe', 'id') }}",
    {"get_param": "pin"},
    {"get_attr": ["told", "data"]},
    {"get_file": "/etc/passwd"},
    {"Fn::GetAtt": ["told", "Data"]},
    {"$ref": "#/told"},
    {"str_replace": {"template": "x", "params": {}}},
    [1, ["Ref", ["told"]]],
    {"__class__": "Secret", "value": "x"},
    "secret:db",
)


@pytest.mark.parametrize("form", FORMS, ids=repr)
async def test_ansible_cve_2016_9587_and_2017_7481_and_2023_5764_what_a_guest_says_is_never_evaluated(
    rig: Rig, form: Any
) -> None:
    secret = await rig.http.put("/v1/projects/default/secrets/db", json={"value": "correct-horse-battery"})
    assert secret.status_code == 201
    await rig.put(WAITING)
    url, token = await opened(rig)
    assert (await say(rig, url, token, id="1", data=form, reason=str(form)[:50])).status_code == 200
    assert (await say(rig, url, token, id="2")).status_code == 200

    async def settled() -> bool:
        return bool((await rig.get(SHOP))["phase"] == "settled")

    await until(settled)
    assert json.loads(await output(rig, "data"))["1"] == form


def packed(*entries: tuple[tarfile.TarInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for entry, held in entries:
            entry.size = len(held)
            tar.addfile(entry, io.BytesIO(held))
    return buffer.getvalue()


def test_tar_cve_2007_4559_and_2025_4517_an_archive_of_a_guest_is_never_unpacked() -> None:
    link, up, device = tarfile.TarInfo("out"), tarfile.TarInfo("../../etc/passwd"), tarfile.TarInfo("null")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    device.type = tarfile.CHRTYPE
    hard = tarfile.TarInfo("hard")
    hard.type, hard.linkname = tarfile.LNKTYPE, "../../etc/passwd"
    good = packed((link, b""), (hard, b""), (device, b""), (up, b"mine"), (tarfile.TarInfo("out/x"), b"x"))
    assert list(members(good)) == [
        ("out", None), ("hard", None), ("null", None), ("../../etc/passwd", b"mine"), ("out/x", b"x")
    ]  # fmt: skip
    assert [name for name, _ in members(good[:1024])] == ["out", "hard"], "as far as it goes"


def test_tar_cve_2007_4559_no_archive_of_a_guest_grows() -> None:
    zeros = packed((tarfile.TarInfo("big"), bytes(10 << 20)))
    assert list(members(gzip.compress(zeros))) == []
    sparse = tarfile.TarInfo("holes")
    sparse.pax_headers = {
        "GNU.sparse.major": "1",
        "GNU.sparse.minor": "0",
        "GNU.sparse.realsize": str(1 << 50),
    }
    sparse.pax_headers["GNU.sparse.name"] = "holes"
    assert list(members(packed((sparse, b"1\n0\n0\n" + bytes(506))))) == [("holes", None)]
    for nothing in (b"", b"\x1f\x8b", b"x" * 1024):
        assert list(members(nothing)) == []
