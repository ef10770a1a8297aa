"""/v1/keys: the keys that everything secret is sealed with. What a key is, is never said."""

from __future__ import annotations

from fastapi import APIRouter, Response

from terrace.api.callers import Caller, Uses
from terrace.api.documents import answer, gives
from terrace.ports.secrets import KeyStatus

router = APIRouter(tags=["keys"])
KEYS = "/v1/keys"
EXAMPLE = {
    "masters": [
        {"id": "5f0c2a91", "here": True, "newest": False, "wraps": 2, "needed": ""},
        {"id": "c31e77b0", "here": True, "newest": True, "wraps": 3, "needed": "it is the newest"},
    ],
    "data_keys": 3,
    "rotation": {
        "id": "00000003",
        "started": 1767225600.0,
        "begins": 1767225600.0,
        "finished": 1767225604.0,
        "sealed": 120,
    },
    "file": "/var/lib/terrace/key",
}


@router.get(KEYS, responses=gives(KeyStatus, "How the keys stand", example=EXAMPLE, fails=[404]))
async def show_keys(services: Uses, caller: Caller) -> Response:
    """Which master keys there are, which can be thrown away, and how far sealing everything anew has come."""
    return answer(await services.keys.status(caller))


@router.post(KEYS + "/rotate", responses=gives(KeyStatus, "It has begun", example=EXAMPLE, fails=[404, 409]))
async def rotate_keys(services: Uses, caller: Caller) -> Response:
    """A new master key, which wraps all data keys; a new data key for what is written from now on; and what was sealed
    before is sealed anew, beside everything else."""
    return answer(await services.keys.rotate(caller))


@router.delete(
    KEYS + "/{master}", responses=gives(KeyStatus, "It is gone", example=EXAMPLE, fails=[404, 409])
)
async def forget_key(master: str, services: Uses, caller: Caller) -> Response:
    """Takes an old master key out of the database and out of the key file of this server."""
    return answer(await services.keys.forget(caller, master))
