"""The published description of the API is true: whatever it allows is sent, and much that it does not; what comes back
is what it says, never a fault of ours, and never what is another tenant's."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.unit.served import Server, free_port

from terrace.client import ApiError, Client

EXAMPLES = 200 if os.environ.get("TERRACE_SOAK") else 8
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
MARK = "the-blue-ones-mark"
"""What is in every part of the stack of the other tenant, and in no answer to the one who asks."""
TEMPLATE = """heat_template_version: 2021-04-16
description: MARK
resources:
  web: {type: "OS::Nova::Server", properties: {image: debian-12, flavor: m1.tiny, name: MARK}}
  value: {type: "OS::Heat::Value", properties: {value: MARK}}
  handle: {type: "OS::Heat::WaitConditionHandle"}
outputs: {shown: {value: {get_attr: [value, value]}}}
"""
PASSWORD = "four words in a row"


class Tenants:
    """A server with two projects, red and blue, each with a stack; an administrator; and who asks for red."""

    def __init__(self, server: Server, port: int) -> None:
        self.base = f"https://127.0.0.1:{port}"
        self.session = requests.Session()
        self.session.verify = str(server.state / "tls.crt")
        self._owner = server.client
        for name in ("red", "blue"):
            self._owner.people.projects.add(name)
        self._owner.people.users.add("root", password=PASSWORD, admin=True)
        self.schema = schemathesis.openapi.from_dict(self._owner.openapi())
        self._tokens: dict[str, str] = {}

    def whole(self) -> None:
        """What an earlier operation took away is there again."""
        for name in ("red", "blue"):
            with Client(self._owner.address, project=name) as client:
                text = TEMPLATE.replace("MARK", MARK if name == "blue" else "red")
                wish = {"template": "t.yaml", "files": {"t.yaml": text}}
                with contextlib.suppress(ApiError):
                    client.operations.suspend("shop", suspended=False)
                client.stacks.apply("shop", wish, wait=10)
                client.secrets.put("known", MARK if name == "blue" else "red")

    def headers(self, who: str) -> dict[str, str]:
        """The credential of red's robot, or of the administrator."""
        token = self._tokens.get(who, "")
        if not token or requests.get(
            f"{self.base}/v1/me", headers={"Authorization": f"Bearer {token}"}, verify=self.session.verify, timeout=20
        ).status_code != 200:  # fmt: skip
            if who == "red":
                wish = {"name": "robot", "project": "red", "role": "admin", "service": True}
                token = self._owner.people.tokens.create(wish)["token"]
            else:
                token = self._owner.people.me.login("root", PASSWORD)["token"]
            self._tokens[who] = token
        return {"Authorization": f"Bearer {token}"}


@pytest.fixture(scope="module")
def tenants(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenants]:
    port = free_port()
    text = f'[server]\nlisten = "127.0.0.1:{port}"\nrate = 100000\nburst = 100000\n[providers.local]\ndriver = "sim"\n'
    server = Server(Path(tmp_path_factory.mktemp("tenants")), text).start()
    try:
        yield Tenants(server, port)
    finally:
        server.end()


NAMES = {
    "project": ["red", "red", "blue"],
    "stack": ["shop"],
    "path": ["web", "value", "handle"],
    "name": ["local", "known", "shown"],
    "number": ["1"],
}
"""Names of what there is: with those that are made up alone, nothing would ever be found."""


@pytest.mark.timeout(600)
def test_what_is_published_is_true(tenants: Tenants) -> None:
    operations = [found.ok() for found in tenants.schema.get_all_operations()]
    assert len(operations) > 80
    answered: dict[int, int] = {}
    wrong: list[str] = []
    for operation in operations:
        tenants.whole()
        try:
            _examine(tenants, operation, answered)
        except (Exception, ExceptionGroup) as error:
            wrong.append(f"{operation.method.upper()} {operation.path}: {_told(error)}")
    assert not wrong, "\n".join(wrong)
    assert set(answered) >= {200, 201, 204, 400, 403, 404, 409}
    assert answered[200] > len(operations) / 2


def _examine(tenants: Tenants, operation: Any, answered: dict[int, int]) -> None:
    credentials = {who: tenants.headers(who) for who in ("red", "root")}
    positive = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    negative = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=not os.environ.get("TERRACE_SOAK"),
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )
    @given(st.data())
    def ask(data: st.DataObject) -> None:
        case = data.draw(st.one_of(positive, positive, negative))
        who = data.draw(st.sampled_from(["red", "red", "root"]))
        for name in case.path_parameters or {}:
            known = data.draw(st.sampled_from([None, *NAMES.get(name, [])]))
            if known is not None:
                case.path_parameters[name] = known
        _shorten(case)
        answer = case.call(
            base_url=tenants.base,
            session=tenants.session,
            verify=tenants.session.verify,
            headers=credentials[who],
            timeout=30,
        )
        answered[answer.status_code] = answered.get(answer.status_code, 0) + 1
        case.validate_response(answer, checks=CHECKS)
        if who == "red":
            assert MARK not in answer.text, f"{case.formatted_path} shows what is blue's"
            if (case.path_parameters or {}).get("project") == "blue":
                assert 400 <= answer.status_code < 500, f"{case.formatted_path}: {answer.status_code}"

    ask()


def _told(error: BaseException) -> str:
    inner = [_told(one) for one in getattr(error, "exceptions", ())]
    return "\n".join([str(error), *inner])


def _shorten(case: Any) -> None:
    """Nothing is followed for ever."""
    query = dict(case.query or {})
    for name in ("watch", "follow"):
        if name in query:
            query[name] = "0"
    if "wait" in query:
        query["timeout"] = "0.05"
    case.query = query
