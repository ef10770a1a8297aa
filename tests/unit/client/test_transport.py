"""Requests, answers, and errors as problem documents."""

from __future__ import annotations

from pathlib import Path

import pytest

from terrace.client import ApiError, Client, UnreachableError
from terrace.client.address import Address, parse_address
from terrace.errors import UserError
from tests.unit.client.fake_server import Answer, problem

STACKS = "/v1/projects/default/stacks"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("/run/t.sock", Address(path="/run/t.sock")),
        ("unix:///run/t.sock", Address(path="/run/t.sock")),
        ("http://127.0.0.1:8080", Address(host="127.0.0.1", port=8080)),
        ("http://[::1]:8080/", Address(host="::1", port=8080)),
    ],
)
def test_addresses(text: str, address: Address) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text", ["", "localhost", "unix://here", "http://host", "http://host:99999", "ftp://a:1"]
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(UserError, match="is not the address of a server"):
        parse_address(text)


def test_pages_are_read_to_the_end(serve) -> None:
    pages = {None: {"items": [{"name": "a"}], "next": "a"}, "a": {"items": [{"name": "b"}], "next": None}}
    server = serve({f"GET {STACKS}": lambda request: Answer(pages[request.query.get("cursor", [None])[0]])})
    with Client(server.address) as client:
        assert [stack["name"] for stack in client.stacks.listing()] == ["a", "b"]
    assert len(server.requests) == 2


def test_apply_says_which_generation_it_expects(serve) -> None:
    server = serve({f"PUT {STACKS}/shop": {"name": "shop", "generation": 4}})
    with Client(server.address) as client:
        assert client.stacks.apply("shop", {"template": "t"}, if_match=3)["generation"] == 4
        client.stacks.apply("shop", {"template": "t"})
    first, second = server.requests
    assert first.headers["if-match"] == '"3"'
    assert first.body == {"template": "t"}
    assert "if-match" not in second.headers


def test_names_are_escaped(serve) -> None:
    server = serve(
        {f"GET {STACKS}/a?b#c": {"name": "x"}, f"GET {STACKS}/s/resources/group/0": {"path": "group/0"}}
    )
    with Client(server.address) as client:
        assert client.stacks.get("a?b#c") == {"name": "x"}
        assert client.views.resource("s", "group/0") == {"path": "group/0"}


def test_a_problem_document_becomes_an_error(serve) -> None:
    problems = [{"message": "no", "line": 3}]
    refusal = problem(422, "invalid-document", "no", hint="look", problems=problems)
    server = serve({f"PUT {STACKS}/shop": refusal})
    with Client(server.address) as client, pytest.raises(ApiError) as caught:
        client.stacks.apply("shop", {})
    error = caught.value
    assert (error.status, error.code, error.message, error.hint) == (422, "invalid-document", "no", "look")
    assert error.problems == ({"message": "no", "line": 3},)


def test_an_answer_that_is_no_problem_document(serve) -> None:
    server = serve({f"GET {STACKS}/shop": Answer("a proxy says no", 502)})
    with (
        Client(server.address) as client,
        pytest.raises(ApiError, match="the server answered 502 Bad Gateway"),
    ):
        client.stacks.get("shop")


def test_an_idle_connection_that_the_server_closed_is_opened_again(serve) -> None:
    server = serve({f"GET {STACKS}/shop": Answer({"name": "shop"}, cut=True)})
    with Client(server.address) as client:
        assert client.stacks.get("shop") == client.stacks.get("shop")
    assert len(server.requests) == 2


def test_nothing_listens(tmp_path: Path) -> None:
    with Client(f"unix://{tmp_path}/none.sock") as client, pytest.raises(UnreachableError) as caught:
        client.version()
    assert "does not answer" in caught.value.message
    assert caught.value.hint == "terrace doctor"


def test_a_socket_path_longer_than_the_kernel_takes(serve, tmp_path: Path) -> None:
    server = serve({"GET /v1/version": {"version": "1"}})
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    (folder / "server.sock").symlink_to(server.address)
    with Client(f"unix://{folder}/server.sock") as client:
        assert client.version() == {"version": "1"}


def test_logs_are_read_line_by_line(serve) -> None:
    pieces = (b'{"text": "one"}\n{"te', b'xt": "two"}\n', b"\n")
    server = serve({f"GET {STACKS}/shop/logs": Answer(pieces=pieces)})
    with Client(server.address) as client:
        assert [line["text"] for line in client.streams.logs("shop", "web", tail=5)] == ["one", "two"]
    assert server.requests[0].query == {"path": ["web"], "tail": ["5"]}


def test_a_refused_stream_is_an_api_error(serve) -> None:
    server = serve({f"GET {STACKS}/shop/logs": problem(404, "no-machine", "no machine")})
    with Client(server.address) as client, pytest.raises(ApiError, match="no machine"):
        list(client.streams.logs("shop"))
