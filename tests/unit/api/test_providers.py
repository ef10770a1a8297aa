"""Providers, their images, flavors and ghosts, and the server itself, over HTTP."""

from __future__ import annotations

import json

from terrace import __version__
from terrace.model.seen import Owner
from terrace.model.spec.volume import VolumeSpec
from terrace.model.step import Names, Step, Verb
from terrace.services.images import Unfenced
from tests.unit.api.rig import Rig

LOCAL = "/v1/providers/local"


async def test_version_and_doctor(rig: Rig) -> None:
    version = await rig.get("/v1/version")
    assert (version["version"], version["installation"]) == (__version__, "memory")
    doctor = await rig.get("/v1/doctor")
    assert doctor["healthy"] in (True, False)
    checks = {check["name"]: check for check in doctor["checks"]}
    assert checks["database"]["health"] == "ok"
    assert checks["provider local"]["health"] == "ok"
    for check in doctor["checks"]:
        assert check["health"] == "ok" or check["hint"]


async def test_providers_and_their_catalogue(rig: Rig) -> None:
    providers = (await rig.get("/v1/providers"))["items"]
    assert [(one["name"], one["driver"], one["default"]) for one in providers] == [
        ("builtin", "builtin", False),
        ("local", "sim", True),
    ]
    flavors = (await rig.get(LOCAL + "/flavors"))["items"]
    assert next(one for one in flavors if one["name"] == "m1.tiny")["memory"] == 512
    assert (await rig.get("/v1/providers/builtin/flavors"))["items"] == []


async def test_an_image_is_fetched_ahead_of_time(rig: Rig) -> None:
    before = {one["name"]: one for one in (await rig.get(LOCAL + "/images"))["items"]}
    assert before["debian-12"]["present"] is False
    answer = await rig.http.post(LOCAL + "/images", json={"source": "debian-12"})
    assert answer.status_code == 200
    told = [json.loads(line) for line in answer.text.splitlines()]
    assert told[0]["note"] == "fetching recipe:debian-12"
    assert told[-1]["provider_id"]
    after = {one["name"]: one for one in (await rig.get(LOCAL + "/images"))["items"]}
    assert after["debian-12"]["present"] is True


async def test_images_that_cannot_be_fetched(rig: Rig) -> None:
    assert (await rig.http.post(LOCAL + "/images", json={"source": ""})).status_code == 400
    assert (await rig.http.post(LOCAL + "/images", json={"source": "a\nb"})).status_code == 400
    assert (await rig.http.post("/v1/providers/builtin/images", json={"source": "a"})).status_code == 404


async def test_a_ghost_is_listed_and_taken_away_at_a_word(rig: Rig) -> None:
    driver = rig.drivers["local"]
    step = Step(Verb.CREATE, "Volume", Owner("memory", "stray", 1), Names(path="data"), VolumeSpec("data"))
    receipt = await driver.apply(step, Unfenced())
    assert receipt.seen is not None
    seen = rig.controller.bell.count
    rig.controller._look("local")
    await rig.controller.bell.wait(seen, 5)
    (ghost,) = (await rig.get(LOCAL + "/ghosts"))["items"]
    assert (ghost["provider_id"], ghost["kind"]) == (receipt.seen.provider_id, "Volume")
    assert ghost["kept"]
    path = f"{LOCAL}/ghosts/{ghost['provider_id']}/reap"
    assert (await rig.http.post(path)).status_code == 204
    assert (await rig.get(LOCAL + "/ghosts"))["items"] == []
    assert (await rig.http.post(path)).status_code == 404
