"""Whatever is wrong is answered by a problem document that says what, where and what to do."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from terrace.services.settings.schema import Limits
from tests.unit.api.rig import HEAD, SHOP, STACKS, Rig, running

SERVER = "resources:\n  web: {type: 'OS::Nova::Server', properties: {image: %s, flavor: %s}}\n"


def problem(response: Any, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert document["status"] == status
    assert document["type"] == f"urn:terrace:error:{document['code']}"
    assert document["title"]
    assert document["message"] == document["detail"]
    return document


async def test_paths_and_methods_that_do_not_exist(rig: Rig) -> None:
    assert problem(await rig.http.get("/v2/nothing"), 404)["code"] == "unknown-path"
    assert problem(await rig.http.post("/v1/version"), 405)["code"] == "method-not-allowed"
    assert problem(await rig.http.get(SHOP), 404)["code"] == "not-found"
    assert problem(await rig.http.get("/v1/providers/moon/images"), 404)["code"] == "not-found"
    assert problem(await rig.http.get(SHOP, headers={"If-Match": '"x"'}), 404)["code"] == "not-found"


@pytest.mark.parametrize("name", ["a;b", "1a", "a b", "-a", "a%00", "%C3%A9", "a" * 256, "%2E%2E", "$(id)"])
async def test_names_that_cannot_be(rig: Rig, name: str) -> None:
    document = problem(await rig.http.put(f"{STACKS}/{name}", content='{"template": "t"}'), 400)
    assert document["code"] == "invalid-name"
    document = problem(await rig.http.get(f"/v1/projects/{name}/stacks"), 400)
    assert document["code"] == "invalid-name"


async def test_a_name_with_a_slash(rig: Rig) -> None:
    document = problem(await rig.http.put(f"{STACKS}/a%2Fb", content="{}"), 400)
    assert document["code"] == "invalid-name"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("", "template"),
        ("{", "not JSON"),
        ("[]", "expected"),
        ('{"template": 3}', "$.template"),
        ('{"template": "t", "fils": {}}', "fils"),
        ('{"template": "t", "files": {"t": 3}}', "$.files"),
        ('{"template": "t", "on_failure": "panic"}', "$.on_failure"),
        ('{"template": "t", "timeout": 0}', "$.timeout"),
        ('{"template": "\\ud800"}', ""),
        ("\xff\xfe", "not JSON"),
        ("[" * 100_000, ""),
    ],
)
async def test_bodies_that_cannot_be(rig: Rig, body: str, says: str) -> None:
    document = problem(await rig.http.put(SHOP, content=body.encode("latin-1")), 400)
    assert document["code"] == "invalid-request"
    assert says in document["message"]


async def test_queries_that_cannot_be(rig: Rig) -> None:
    for query in ({"limit": 0}, {"limit": "x"}, {"wait": "long"}, {"timeout": -1}, {"dry_run": "perhaps"}):
        path = STACKS if "limit" in query else SHOP
        method = "GET" if "limit" in query else "PUT"
        response = await rig.http.request(method, path, params=query, content='{"template": "t"}')
        assert problem(response, 400)["code"] == "invalid-request"


async def test_a_refusal_never_repeats_what_was_sent(rig: Rig) -> None:
    secret = "hunter2-hunter2"
    for body in (
        {"template": "t", "parameters": secret},
        {"template": "t", "files": {"t": 3}, "environments": secret},
        {"template": "t", "timeout": secret},
    ):
        answer = await rig.http.put(SHOP, content=json.dumps(body))
        assert answer.status_code == 400
        assert secret not in answer.text


async def test_files_that_are_missing(rig: Rig) -> None:
    body = {"template": "t.yaml", "files": {"u.yaml": ""}, "environments": ["e.yaml"]}
    document = problem(await rig.http.put(SHOP, json=body), 422)
    assert [(one["file"], one["code"]) for one in document["problems"]] == [
        ("t.yaml", "missing-file"),
        ("e.yaml", "missing-file"),
    ]


@pytest.mark.parametrize(
    ("template", "code"),
    [
        ("resources: [", None),
        ("resources:\n\tv: {}\n", None),
        ("resources: {}\nresources: {}\n", None),
        ("resurces: {}\n", None),
        ("resources:\n  v: {type: 'Terrace::Valu'}\n", "unknown-type"),
        ("resources:\n  v: {type: 'Terrace::Volume', properties: {sise: 1}}\n", None),
        ("resources:\n  v: {type: 'Terrace::Value', properties: {value: {get_param: p}}}\n", None),
        ("resources:\n  v: {type: 'Terrace::Value', properties: {value: {get_attr: [v, value]}}}\n", None),
        ("parameters:\n  p: {type: string, constraints: [{length: {min: 3}}], default: ab}\n", None),
        (
            "a: &a [x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]\n"
            "c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c]\n"
            "e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d]\nf: &f [*e, *e, *e, *e, *e, *e, *e, *e, *e]\n"
            "g: [*f, *f, *f, *f, *f, *f, *f, *f, *f]\n",
            None,
        ),
    ],
)
async def test_documents_that_cannot_be(rig: Rig, template: str, code: str | None) -> None:
    document = problem(await rig.put(template), 422)
    assert document["problems"]
    for one in document["problems"]:
        assert one["file"] == "t.yaml"
        assert one["line"] > 0
        assert one["message"]
    if code:
        assert code in {one["code"] for one in document["problems"]}
    assert (await rig.http.get(SHOP)).status_code == 404


async def test_a_parameter_that_nobody_declared(rig: Rig) -> None:
    assert problem(await rig.put("resources: {}\n", parameters={"nobody": 1}), 422)["problems"]


async def test_an_image_that_does_not_exist_is_shown_where_it_stands(rig: Rig) -> None:
    document = problem(await rig.put(SERVER % ("debain-12", "m1.tiny")), 422)
    (one,) = document["problems"]
    assert one["message"] == (
        'resource "web" asks for image "debain-12", which provider "local" does not have'
    )
    assert one["hint"].startswith('did you mean "debian-12"?')
    assert "terrace image list --provider local" in one["hint"]
    line = (HEAD + SERVER % ("debain-12", "m1.tiny")).splitlines()[2]
    assert (one["line"], one["column"], one["length"]) == (3, line.index("debain-12") + 1, 9)
    assert one["source"] == line
    assert one["code"] == "unknown-image"


async def test_images_that_may_exist_elsewhere_pass(rig: Rig) -> None:
    for image in ("docker.io/library/nginx:1", "nginx:1", "'registry.example:5000/a/b'"):
        assert (await rig.put(SERVER % (image, "m1.tiny"), query={"dry_run": 1})).status_code == 200
    assert (await rig.put(SERVER % ("'a b/c'", "m1.tiny"), query={"dry_run": 1})).status_code == 422


async def test_flavors_and_images_are_checked_in_groups_and_nested_templates_too(rig: Rig) -> None:
    group = (
        "resources:\n  g:\n    type: OS::Heat::ResourceGroup\n    properties:\n      count: 2\n      resource_def:\n"
        "        type: OS::Nova::Server\n        properties:\n          image: debian-12\n          flavor: m1.tinny\n"
    )
    (one,) = problem(await rig.put(group), 422)["problems"]
    meant = 'did you mean "m1.tiny"? (terrace flavor list --project default)'
    assert (one["code"], one["line"], one["hint"]) == ("unknown-flavor", 11, meant)
    inner = HEAD + SERVER % ("nothing-here", "m1.tiny")
    (one,) = problem(
        await rig.put("resources:\n  n: {type: inner.yaml}\n", files={"inner.yaml": inner}), 422
    )["problems"]
    assert (one["code"], one["file"], one["line"]) == ("unknown-image", "inner.yaml", 3)


async def test_a_silent_provider_does_not_keep_a_wish_from_being_saved(rig: Rig) -> None:
    async def unreachable(kind: str, selector: str) -> None:
        from terrace.errors import TransientError

        raise TransientError("the engine is down")

    rig.drivers["local"].lookup = unreachable  # type: ignore[method-assign]
    assert (await rig.put(SERVER % ("who-knows", "m1.tiny"))).status_code == 201


async def test_numbers_that_no_database_keeps(rig: Rig) -> None:
    document = problem(
        await rig.http.put(SHOP, content=f'{{"template": "t", "parameters": {{"n": {2**70}}}}}'), 422
    )
    assert document["code"] == "invalid-property"
    template = f"resources:\n  v: {{type: 'Terrace::Value', properties: {{value: {2**70}}}}}\n"
    assert (await rig.put(template)).status_code in (422, 429)


async def test_a_bug_is_told_without_its_insides(rig: Rig) -> None:
    async def broken(*_: Any) -> None:
        raise RuntimeError("the insides")

    rig.services.stacks.get = broken  # type: ignore[method-assign, assignment]
    document = problem(await rig.http.get(SHOP), 500)
    assert document["code"] == "internal-error"
    assert "insides" not in json.dumps(document)
    assert any(line["event"] == "api.bug" for line in rig.telemetry.lines)


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[Rig]:
    async with running(tmp_path, Limits(document=1000, body=5000, files=3)) as found:
        yield found


async def test_bodies_that_are_too_large_are_refused_while_they_come(small: Rig) -> None:
    sent = 0

    async def flood() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(10_000):
            sent += 1000
            yield b"x" * 1000

    document = problem(await small.http.put(SHOP, content=flood()), 413)
    assert document["code"] == "body-too-large"
    document = problem(await small.http.put(SHOP, content=b"x" * 6000), 413)
    assert "5,000" in document["message"]


async def test_documents_that_are_too_large_or_too_many(small: Rig) -> None:
    long = "description: " + "x" * 1000 + "\n"
    assert problem(await small.put(long), 413)["code"] == "document-too-large"
    files = {f"{number}.yaml": "" for number in range(3)}
    assert problem(await small.put("resources: {}\n", files=files), 413)["code"] == "too-many-files"
