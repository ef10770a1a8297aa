"""The server itself: what it listens at, what it answers without a credential, and whose writes its store takes."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from terrace.api.edge.tls import fingerprint_of
from terrace.client import ApiError, Client, Trust
from terrace.ports.store import Store
from terrace.stores.memory import MemoryStore
from terrace.stores.sqlite import SqliteStore
from tests.contracts.store.samples import FlippedSecrets, HandClock, Worker, a_record
from tests.unit.api.rig import HEAD, SHOP, STACKS, Rig
from tests.unit.served import Server, free_port

SIM = '[providers.local]\ndriver = "sim"\n'


async def test_salt_cve_2020_11651_no_way_of_writing_an_address_needs_no_credential(rig: Rig) -> None:
    told = set()
    forms = "/v1/me/ //v1/me /V1/ME /v1/./me /v1/version/../me /v1/login/../projects /v1/me;x /v1/me%00"
    forms += " /v1/me?token=x /metrics /v1/signals/../me /v1/signals/x/../../projects /"
    for number, path in enumerate(forms.split()):
        for method in ("GET", "HEAD", "POST", "PUT", "OPTIONS", "TRACE", "PATCH", "DELETE", "BREW"):
            answer = await rig.client(host=f"192.0.2.{number}").request(method, path)
            told.add(answer.status_code)
            assert b"rights" not in answer.content
            assert answer.status_code in (307, 400, 401, 404, 405), (method, path, answer.status_code)
    assert 401 in told


async def test_salt_cve_2021_25281_no_other_kind_of_connection_skips_authentication(rig: Rig) -> None:
    """One client's calls were not authenticated; here every connection is somebody's, those that last, too."""
    await rig.up("resources:\n  web: {type: 'Terrace::Machine', properties: {image: debian-12}}\n")
    for path in (SHOP + "/exec", SHOP + "/events"):
        told: list[Any] = []

        async def receive() -> Any:
            return {"type": "websocket.connect"}

        async def send(message: Any, told: list[Any] = told) -> None:
            told.append(message)

        scope = {
            "type": "websocket", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "ws", "path": path,
            "raw_path": path.encode(), "root_path": "", "query_string": b"path=web&cmd=id", "headers": [],
            "subprotocols": [], "client": ("192.0.2.1", 1), "server": None, "terrace.owner": False,
            "extensions": {"websocket.http.response": {}},
        }  # fmt: skip
        await asyncio.wait_for(rig.app(scope, receive, send), 10)
        assert told[0]["type"] in ("websocket.http.response.start", "websocket.close"), told
        assert told[0].get("status", 403) in (401, 403, 404)
    watch = await rig.client().get(SHOP + "/events", params={"watch": 1})
    assert watch.status_code == 401


async def test_salt_cve_2020_11652_no_name_of_a_file_is_a_place_on_the_servers_disk(
    rig: Rig, tmp_path: Path
) -> None:
    (tmp_path / "there.yaml").write_text(HEAD + "resources: {}\n")
    there = str(tmp_path / "there.yaml")
    for name in (there, "../there.yaml", "../../../../../../etc/passwd", "/etc/passwd", "~/.ssh/id_rsa"):
        for text in (
            f"resources: {{x: {{type: 'Terrace::Value', properties: {{value: {{get_file: '{name}'}}}}}}}}\n",
            f"resources: {{x: {{type: '{name}'}}}}\n",
        ):
            assert (await rig.put(text)).status_code == 422, text
        for body in (
            {"template": name, "files": {}},
            {"template": "t.yaml", "files": {"t.yaml": HEAD + "resources: {}\n"}, "environments": [name]},
        ):
            assert (await rig.http.put(SHOP, json=body)).status_code in (400, 422), body
    names = {path.name for path in tmp_path.rglob("*")}
    given = {"../../outside": "text", "/outside": "text", "t.yaml": HEAD + "resources: {}\n"}
    kept = await rig.http.put(f"{STACKS}/kept", json={"template": "t.yaml", "files": given})
    assert kept.status_code < 500
    assert {path.name for path in tmp_path.rglob("*")} == names, (
        "what a request brings is never laid on the disk"
    )
    for path in ("/v1/../etc/passwd", "/v1/..%2f..%2fetc/passwd", "/static/../key", "/key", "/terrace.db"):
        assert (await rig.http.get(path)).status_code in (400, 404)


def listening(one: Server) -> set[int]:
    """The TCP ports that a server listens at, at whatever address."""
    assert one.process is not None
    proc = Path(f"/proc/{one.process.pid}")
    rows = [
        line.split()
        for kind in ("tcp", "tcp6")
        for line in (proc / "net" / kind).read_text().splitlines()[1:]
    ]
    ports = {row[9]: int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == "0A"}
    held = [str(file.readlink()).removeprefix("socket:[").rstrip("]") for file in (proc / "fd").iterdir()]
    return {ports[one] for one in held if one in ports}


def test_juju_cve_2026_4370_nothing_listens_unasked_and_then_only_with_tls_and_a_credential(
    server: Callable[..., Server],
) -> None:
    first = server(SIM).start()
    assert listening(first) == set()
    assert first.end() == 0
    port = free_port()
    one = server(f'{SIM}[server]\nlisten = "127.0.0.1:{port}"\n').start()
    assert listening(one) == {port}
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        plain.sendall(b"GET /v1/me HTTP/1.1\r\nHost: x\r\n\r\n")
        said = plain.recv(4096)
    assert b" 200 " not in said.split(b"\r\n")[0]
    trust = Trust(fingerprint_of(str(one.state / "tls.crt")))
    with Client(f"https://127.0.0.1:{port}", trust=trust) as stranger:
        assert stranger.version()["version"]
        with pytest.raises(ApiError) as refused:
            stranger.stacks.get("web")
        assert (refused.value.status, refused.value.code) == (401, "unauthenticated")
    assert one.end() == 0


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_etcd_jepsen_who_lost_a_lease_is_refused_by_the_store_itself(kind: str, tmp_path: Path) -> None:
    """A lock that was believed to be held protected nothing: only the store can say whose turn it is."""
    clock = HandClock()
    store: Store = (
        MemoryStore(FlippedSecrets(), clock)
        if kind == "memory"
        else SqliteStore(tmp_path / "terrace.db", FlippedSecrets(), clock)
    )
    await store.open()
    paused = await Worker.of(store, holder="paused")
    clock.time += 11.0
    taken = await store.acquire(f"stack:{paused.stack.id}", "other", 10.0)
    assert taken is not None
    assert taken.epoch > paused.lease.epoch
    other = Worker(store, paused.stack, taken)
    assert await other.write(a_record("theirs"))
    assert await paused.write(a_record("late")) is False
    assert [one.path for one in await store.records(paused.stack.id)] == ["theirs"]
    await store.close()
