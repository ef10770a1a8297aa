"""What stands around a request: its id, its line, its measurement; and whether the server is ready."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
import pytest

from terrace.api.edge.around import ACTOR, Around
from terrace.api.telemetry.log import Log
from terrace.errors import TransientError
from tests.unit.api.rig import SHOP, STACKS, Rig


class Kept:
    """A log in memory, and a client that speaks through what stands around."""

    def __init__(self, app: Any, told: Any = "all") -> None:
        self.lines: list[dict[str, Any]] = []
        self.log = Log(lambda line: None, self._keep)
        around = Around(app, self.log, told)

        async def owned(scope: Any, receive: Any, send: Any) -> None:
            await around({**scope, "terrace.owner": True}, receive, send)

        transport = httpx.ASGITransport(owned, raise_app_exceptions=False)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://terrace")

    def _keep(self, fields: Any) -> bytes:
        self.lines.append(dict(fields))
        return b""


async def test_a_request_has_an_id_and_a_line_and_is_measured(rig: Rig) -> None:
    kept = Kept(rig.app)
    answer = await kept.http.get(f"{SHOP}?secret=hunter2", headers={"X-Request-Id": "mine-7"})
    assert (answer.status_code, answer.headers["X-Request-Id"]) == (404, "mine-7")
    odd = await kept.http.get(STACKS, headers={"X-Request-Id": "no spaces, please"})
    assert len(odd.headers["X-Request-Id"]) == 16
    first, second = kept.lines
    assert {key: first[key] for key in ("event", "id", "method", "path", "status")} == {
        "event": "request", "id": "mine-7", "method": "GET", "path": SHOP, "status": 404,
    }  # fmt: skip
    assert second["status"] == 200
    assert second["ms"] > 0
    assert "hunter2" not in str(kept.lines)
    text = kept.log.measured()
    path = "/v1/projects/{project}/stacks/{stack}"
    assert f'terrace_api_requests_total{{method="GET",path="{path}",status="404"}} 1' in text
    assert f'terrace_api_request_seconds_count{{method="GET",path="{path}"}} 1' in text


async def test_no_line_holds_a_token_of_a_door(rig: Rig) -> None:
    kept = Kept(rig.app)
    await kept.http.post("/v1/signals/door/THETOKEN")
    assert kept.lines[0]["path"] == "/v1/signals/door"


@pytest.mark.parametrize(
    ("told", "logged"), [("all", [200, 404, 200]), ("changes", [404, 200]), ("failures", [404])]
)
async def test_which_requests_have_a_line(rig: Rig, told: str, logged: list[int]) -> None:
    kept = Kept(rig.app, told)
    await kept.http.get(STACKS)
    await kept.http.get(SHOP)
    await kept.http.get("/healthz")
    await kept.http.put(
        f"{SHOP}?dry_run=1", json={"template": "t", "files": {"t": "heat_template_version: 2021-04-16"}}
    )
    assert [line["status"] for line in kept.lines] == logged


async def test_a_line_says_who_it_was_and_a_bug_has_a_line_too() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        scope[ACTOR] = "ann"
        if scope["path"] == "/bug":
            raise RuntimeError("a bug")
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    kept = Kept(app)
    await kept.http.get("/fine")
    await kept.http.get("/bug")
    assert [(line["actor"], line["status"], line["level"]) for line in kept.lines] == [
        ("ann", 204, "info"),
        ("ann", 0, "info"),
    ]


async def test_health_and_readiness(rig: Rig) -> None:
    assert (await rig.http.get("/healthz")).json() == {"status": "ok"}
    assert (await rig.http.get("/readyz")).json() == {"status": "ok"}
    rig.services.close()
    answer = await rig.http.get("/readyz")
    assert (answer.status_code, answer.json()["code"]) == (503, "not-ready")
    assert (await rig.http.get("/healthz")).status_code == 200
    metrics = await rig.http.get("/metrics")
    assert metrics.headers["content-type"].startswith("text/plain; version=0.0.4")


async def test_a_store_that_cannot_be_written_is_not_ready(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full() -> None:
        raise TransientError("the disk is full")

    doctor = rig.services.doctor
    monkeypatch.setattr(doctor, "_on", msgspec.structs.replace(doctor._on, writable=full))
    answer = await rig.http.get("/readyz")
    assert (answer.status_code, answer.json()["message"]) == (503, "the disk is full")
