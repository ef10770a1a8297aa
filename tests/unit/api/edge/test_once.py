"""Requests of the API whose answers are lost with the server: what they changed is not changed again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from terrace.api import build
from terrace.ports.edge.requests import Answer, Claim
from terrace.stores.relational.requests import RelationalRequests
from terrace.stores.relational.secrets import RelationalVault
from tests.unit.api.rig import HEAD, Rig

STACK = "/v1/projects/default/stacks/shop"
TEMPLATE = {"template": "t.yaml", "files": {"t.yaml": f"{HEAD}resources: {{}}\n"}}
CHANGES = [
    ("PUT", STACK, TEMPLATE),
    ("PUT", "/v1/projects/default/secrets/word", {"value": "hush"}),
    ("DELETE", STACK, None),
]


class Forgetful(RelationalRequests):
    """As a server that dies after what it did and before it answers."""

    async def finish(self, claim: Claim, answer: Answer) -> None:
        await self.release(claim)


@pytest.mark.parametrize(("method", "path", "body"), CHANGES, ids=("apply", "secret", "delete"))
async def test_a_change_is_made_once(tmp_path: Path, method: str, path: str, body: Any) -> None:
    rig = Rig(tmp_path, lasting=True)
    await rig.store.open()
    await rig.database.open()
    rig.services.requests = Forgetful(rig.store.database, rig.secrets)
    rig.app = build(rig.services)
    try:
        assert (await rig.http.put(STACK, json=TEMPLATE)).status_code == 201
        keyed = {"Idempotency-Key": "k"}
        first = await rig.http.request(method, path, json=body, headers=keyed)
        assert first.status_code < 300, first.text
        before = await kept(rig)
        again = await rig.http.request(method, path, json=body, headers=keyed)
        assert (again.status_code, again.json()["code"]) == (409, "answer-lost")
        assert await kept(rig) == before
    finally:
        await rig.store.close()
        await rig.database.close()


async def kept(rig: Rig) -> tuple[Any, ...]:
    """What people want."""
    assert isinstance(rig.vault, RelationalVault)
    return [one.generation for one in await rig.store.stacks()], await rig.vault.listing("default")
