"""The published description is whole and true: every reference leads somewhere, every example fits, every answer's
shape is described."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tests.unit.api.rig import SHOP, Rig

METHODS = {"get", "put", "post", "delete"}


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for item in value.values():
            yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)


def _fits(value: Any, schema: dict[str, Any], schemas: dict[str, Any], where: str = "$") -> None:
    """A small check of JSON Schema: what msgspec's schemas use of it."""
    if "$ref" in schema:
        _fits(value, schemas[schema["$ref"].rpartition("/")[2]], schemas, where)
    elif "anyOf" in schema:
        for one in schema["anyOf"]:
            try:
                _fits(value, one, schemas, where)
                return
            except AssertionError:
                continue
        raise AssertionError(f"{where} fits none of its schemas: {value!r}")
    elif schema.get("type") == "object" and isinstance(value, dict):
        assert set(schema.get("required", ())) <= value.keys(), where
        properties = schema.get("properties", {})
        if properties and "additionalProperties" not in schema:
            assert value.keys() <= properties.keys(), where
        for key, item in value.items():
            _fits(item, properties.get(key, {}), schemas, f"{where}.{key}")
    elif schema.get("type") == "array":
        assert isinstance(value, list), where
        for item in value:
            _fits(item, schema.get("items") or {}, schemas, where + "[]")
    elif "enum" in schema:
        assert value in schema["enum"], where
    elif "type" in schema:
        kinds = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "null": type(None)}
        assert isinstance(value, kinds.get(schema["type"], object)), (
            f"{where}: {value!r} is no {schema['type']}"
        )


async def test_it_is_openapi_3_1_and_whole(rig: Rig) -> None:
    document = await rig.get("/v1/openapi.json")
    assert document["openapi"] == "3.1.0"
    for reference in _references(document):
        _, _, kind, name = reference.split("/")
        assert name in document["components"][kind], reference
    operations = [op for path in document["paths"].values() for name, op in path.items() if name in METHODS]
    assert len({op["operationId"] for op in operations}) == len(operations) > 20


async def test_every_operation_says_how_it_refuses(rig: Rig) -> None:
    document = await rig.get("/v1/openapi.json")
    for path, item in document["paths"].items():
        for method in METHODS & item.keys():
            responses = item[method]["responses"]
            if "reap" in path:
                continue
            assert {"400", "403"} <= responses.keys(), path
            if "{stack}" in path and method != "put":
                assert "404" in responses, (method, path)


async def test_examples_fit_their_schemas(rig: Rig) -> None:
    document = await rig.get("/v1/openapi.json")
    schemas = document["components"]["schemas"]
    seen = 0
    for item in document["paths"].values():
        for operation in item.values():
            contents = [response.get("content", {}) for response in operation["responses"].values()]
            contents.append(operation.get("requestBody", {}).get("content", {}))
            for content in (media for group in contents for media in group.values()):
                if "example" in content:
                    seen += 1
                    _fits(content["example"], content["schema"], schemas)
    assert seen > 10


async def test_answers_fit_their_schemas(rig: Rig) -> None:
    document = await rig.get("/v1/openapi.json")
    schemas = document["components"]["schemas"]
    await rig.up(
        "resources:\n  web: {type: 'OS::Nova::Server', properties: {image: debian-12, flavor: m1.tiny}}\n"
    )
    await rig.http.post("/v1/users", json={"name": "ada", "password": "four words in a row"})
    values = {
        "project": "default",
        "stack": "shop",
        "path": "web",
        "number": "1",
        "name": "local",
        "user": "ada",
    }
    checked = set()
    for path, item in document["paths"].items():
        if "get" not in item or "/logs" in path or "/outputs/{name}" in path or "/sizes/" in path:
            continue
        url = re.sub(r"\{(\w+)(?::path)?\}", lambda match: values[match[1]], path)
        answer = await rig.http.get(url)
        assert answer.status_code == 200, url
        content = item["get"]["responses"]["200"]["content"]
        assert answer.headers["content-type"].partition(";")[0] in content, url
        if answer.headers["content-type"] == "application/json":
            _fits(answer.json(), content["application/json"]["schema"], schemas, url)
        checked.add(path)
    plan = await rig.put("resources: {}\n", query={"dry_run": 1})
    put = document["paths"]["/v1/projects/{project}/stacks/{stack}"]["put"]
    _fits(plan.json(), put["responses"]["200"]["content"]["application/json"]["schema"], schemas)
    missing = await rig.http.get(SHOP + "x")
    _fits(missing.json(), schemas["ProblemView"], schemas)
    assert len(checked) >= 12
