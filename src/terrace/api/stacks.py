"""/v1/projects/{project}/stacks: stacks as a whole."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query, Request, Response

from terrace.api.callers import At, Caller, Expected, Uses
from terrace.api.documents import answer, gives, read, takes
from terrace.api.edge.pages import NAME, Paged, Prefix
from terrace.api.views import Page, PlanView, StackView, plan_view, stack_view
from terrace.errors import UserError
from terrace.model.stack import OnFailure, Phase, Source, Stack
from terrace.services.admission import Wish

router = APIRouter(tags=["stacks"])
STACKS = "/v1/projects/{project}/stacks"
STACK = STACKS + "/{stack}"

Timeout = Annotated[float, Query(gt=0, le=86400, description="Seconds to wait")]
In = Annotated[Phase | None, Query(description="Only stacks that stand there", examples=["failing"])]

EXAMPLE = {
    "name": "shop",
    "project": "default",
    "id": "k3v9x0a2m4c6e8g1i5o7",
    "generation": 2,
    "settled": 1,
    "phase": "settling",
    "why": "web: pulling the image",
    "since": 1767225600.0,
    "created": 1767139200.0,
    "updated": 1767225600.0,
    "total": 4,
    "ready": 3,
    "failing": 0,
    "description": "A shop with a database",
}
PLAN = {
    "stack": "shop",
    "generation": 2,
    "changes": True,
    "items": [
        {
            "path": "web",
            "kind": "Machine",
            "what": "replace",
            "reason": "image cannot be changed in place",
            "certain": True,
            "differences": [
                {
                    "field": "image",
                    "before": "debian-11",
                    "after": "debian-12",
                    "forces": True,
                    "certain": True,
                    "drift": False,
                }
            ],
            "delete_first": False,
            "implied": False,
            "hint": "",
            "notes": [],
            "loses": "",
        }
    ],
    "counts": {"replace": 1},
    "warnings": [],
    "digest": "d2f1c07e5b",
    "sealed": "",
}
WISH = {
    "template": "shop.yaml",
    "files": {"shop.yaml": "heat_template_version: 2021-04-16\nresources: {}\n"},
    "environments": [],
    "parameters": {"password": "..."},
    "on_failure": "keep",
    "timeout": 3600,
}


class WishBody(msgspec.Struct, forbid_unknown_fields=True):
    """What a stack should be. `template` and `environments` name entries of `files`; `timeout` in seconds.
    `targets`: only these resources are changed; `excludes`: these are not. `plan` is the `digest` of a plan: only
    exactly that is done. `sealed` is a whole plan that was kept (its `sealed`), in place of the documents."""

    template: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    files: dict[str, str] = {}
    environments: list[str] = []
    parameters: dict[str, Any] = {}
    on_failure: Literal["keep", "rollback"] | None = None
    timeout: Annotated[float, msgspec.Meta(gt=0, le=31_536_000)] | None = None
    targets: list[str] = []
    excludes: list[str] = []
    plan: Annotated[str, msgspec.Meta(max_length=200)] = ""
    sealed: str = ""

    def wish(self) -> Wish:
        """For the use cases. UserError when there is no template."""
        if not self.template:
            raise UserError('the body lacks the required field "template"', code="invalid-request")
        source = Source(self.template, self.files, tuple(self.environments), self.parameters)
        wish = Wish(source, targets=tuple(self.targets), excludes=tuple(self.excludes), plan=self.plan)
        return self.over(wish)

    def over(self, wish: Wish) -> Wish:
        """A wish with what the body says about how it is to be carried out."""
        chosen = wish.on_failure if self.on_failure is None else OnFailure(self.on_failure)
        return msgspec.structs.replace(wish, on_failure=chosen, timeout=self.timeout or wish.timeout)


def stack_answer(stack: Stack, status: int = 200, warnings: Any = msgspec.UNSET) -> Response:
    """A stack with its generation as the ETag."""
    return answer(stack_view(stack, warnings), status, {"ETag": f'"{stack.generation}"'})


@router.get(
    STACKS,
    responses=gives(
        Page[StackView], "The stacks of a project, by name", example={"items": [EXAMPLE], "next": None}
    ),
)
async def list_stacks(
    project: str, services: Uses, caller: Caller, page: Paged, phase: In = None, name: Prefix = ""
) -> Response:
    """Their heads."""
    (after,) = page.after(NAME, ("",))
    found = await services.stacks.listing(
        caller, project, phase=phase or "", name=name, after=after, limit=page.more
    )
    return page.of(found, lambda one: (one.name,), stack_view)


@router.get(STACK, responses=gives(StackView, "The head of the stack", example=EXAMPLE, fails=[404]))
async def show_stack(at: At, services: Uses, caller: Caller) -> Response:
    """The ETag is the generation."""
    stack = await services.stacks.get(caller, at)
    marks = await services.orders.marks(caller, at)
    shown = msgspec.structs.replace(stack_view(stack), marks=tuple(name for name, on in marks.items() if on))
    return answer(shown, headers={"ETag": f'"{stack.generation}"'})


@router.put(
    STACK,
    openapi_extra=takes(WishBody, WISH),
    responses={
        **gives(StackView, "It is a new stack", example=EXAMPLE, status=201),
        **gives(
            (StackView, PlanView),
            "The stack, on disk; with `dry_run` the plan; with `wait` once it settled or failed, or after `timeout`",
            example=EXAMPLE,
            fails=[409, 412, 413, 422, 429, 503],
        ),
    },
)
async def put_stack(
    request: Request,
    at: At,
    services: Uses,
    caller: Caller,
    expected: Expected,
    *,
    dry_run: bool = False,
    seal: bool = False,
    wait: Literal["settled"] | None = None,
    timeout: Timeout = 60.0,
) -> Response:
    """Asks for the stack to be as the documents say. The answer comes when the wish is on disk, not when it
    is fulfilled.

    With `If-Match: "N"` only if the stack is at generation N ("0": does not exist), else 412. With
    `wait=settled` the answer comes when this generation has settled (`settled` equals `generation`) or failed
    (`phase` is failing and `why` says why), at the latest after `timeout` seconds, as it then stands: it is
    200 in each case.

    With `dry_run` nothing is done and the answer is the plan. Its `digest` may be given back as `plan`: then only
    exactly that is done, else 409 (`plan-outdated`). With `seal` the plan also comes as one text, `sealed`, that
    holds all it needs and shows no secret; on this server it may be given back in place of the documents.
    """
    body = await read(request, WishBody)
    wish = body.over(await services.stacks.unseal(caller, at, body.sealed)) if body.sealed else body.wish()
    if dry_run:
        preview = await services.stacks.plan(caller, at, wish, expected, seal=seal)
        return answer(
            plan_view(preview.plan, preview.warnings, preview.digest, preview.sealed, preview.quota)
        )
    accepted = await services.stacks.apply(caller, at, wish, expected)
    stack = accepted.stack
    if wait:
        stack = await services.stacks.wait(caller, stack, timeout)
    return stack_answer(stack, 201 if accepted.created else 200, accepted.warnings)


@router.delete(
    STACK,
    responses=gives(
        (StackView, PlanView),
        "The stack, going; with `dry_run` the plan; with `wait` the stack once it is gone, or after `timeout`",
        example={**EXAMPLE, "phase": "deleting"},
        fails=[404, 409, 412],
    ),
)
async def delete_stack(
    at: At,
    services: Uses,
    caller: Caller,
    expected: Expected,
    *,
    dry_run: bool = False,
    forget: bool = False,
    force: bool = False,
    wait: Literal["gone"] | None = None,
    timeout: Timeout = 60.0,
) -> Response:
    """Asks for nothing of the stack to be left. `forget` gives up what cannot be reached; events name it. While other
    stacks use its outputs that is refused (409, `export-in-use`), unless with `force`: they keep what they have.
    With `wait=gone` the answer has the phase "gone" when nothing is left."""
    if dry_run:
        return answer(plan_view((await services.stacks.plan_delete(caller, at, force=force)).plan))
    stack = await services.stacks.delete(caller, at, expected, forget=forget, force=force)
    if wait:
        stack = await services.stacks.wait(caller, stack, timeout, gone=True)
    return stack_answer(stack)


@router.post(STACK + "/retry", responses=gives(StackView, "The stack", example=EXAMPLE, fails=[404]))
async def retry_stack(at: At, services: Uses, caller: Caller) -> Response:
    """Tries at once what failed, also what the provider refused for good."""
    return stack_answer(await services.stacks.retry(caller, at))
