"""What exists becomes a resource; abandoning a stack, and managing it again."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Request, Response

from terrace.api.callers import At, Caller, Expected, Uses
from terrace.api.documents import answer, gives, read, takes
from terrace.api.stacks import EXAMPLE, STACK, stack_answer
from terrace.api.views import StackView

router = APIRouter(tags=["operations"])
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


class ImportBody(msgspec.Struct, forbid_unknown_fields=True):
    """`path` of the resource that the thing is to be; `provider_id`: the provider's own id or name of it."""

    path: Text
    provider_id: Text


class DocumentView(msgspec.Struct):
    """A stack that can be managed again by whoever has the installation's key. Hidden values are ******; `sealed` holds
    all of it."""

    terrace: int
    installation: str
    stack: str
    generation: int
    template: str
    files: dict[str, Any]
    parameters: dict[str, Any]
    resources: list[dict[str, Any]]
    sealed: str


DOCUMENT = {
    "terrace": 1,
    "installation": "k3v9x0a2m4c6e8g1i5o7",
    "stack": "shop",
    "generation": 2,
    "template": "shop.yaml",
    "files": {"shop.yaml": "heat_template_version: 2021-04-16\n"},
    "parameters": {},
    "resources": [{"path": "web", "kind": "Machine", "provider": "local", "provider_id": "5f0c1d"}],
    "sealed": "q83vEg==",
}


@router.post(
    STACK + "/imports",
    openapi_extra=takes(ImportBody, {"path": "db", "provider_id": "5f0c1d"}),
    responses=gives(
        StackView, "The stack; a new, empty one if there was none", example=EXAMPLE, fails=[404, 409]
    ),
)
async def import_thing(request: Request, at: At, services: Uses, caller: Caller) -> Response:
    """Has an existing thing become the resource at `path`, as soon as a template wants one there: it is taken on, not
    made, and from then on managed like any other. 409 when something stands there already."""
    body = await read(request, ImportBody)
    return stack_answer(await services.adoption.take_in(caller, at, body.path, body.provider_id))


@router.get(
    STACK + "/document", responses=gives(DocumentView, "What to keep", example=DOCUMENT, fails=[404, 409])
)
async def stack_document(at: At, services: Uses, caller: Caller) -> Response:
    """All that has to be known to manage the stack again after it was abandoned."""
    found = await services.adoption.document(caller, at)
    return answer(msgspec.convert(found, DocumentView), headers={"ETag": f'"{found["generation"]}"'})


@router.post(
    STACK + "/abandon", responses=gives(StackView, "The stack, going", example=EXAMPLE, fails=[404, 409, 412])
)
async def abandon_stack(at: At, services: Uses, caller: Caller, expected: Expected) -> Response:
    """Forgets the stack and keeps its things. Ask for its document first, and send its generation as If-Match: nothing
    else tells what there was."""
    return stack_answer(await services.adoption.abandon(caller, at, expected))


@router.post(
    STACK + "/adopt",
    openapi_extra=takes(DocumentView, DOCUMENT),
    responses=gives(StackView, "The stack", example=EXAMPLE, fails=[400, 404, 409]),
)
async def adopt_stack(request: Request, at: At, services: Uses, caller: Caller) -> Response:
    """Manages again what was abandoned: a document of this installation. 409 when the name is taken, or what it tells
    of is managed already."""
    body = await read(request, DocumentView)
    return stack_answer(await services.adoption.adopt(caller, at, msgspec.to_builtins(body)))
