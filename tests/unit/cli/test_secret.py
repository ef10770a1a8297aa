"""`terrace secret`: where a value comes from, and what is never shown."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path

import pytest

from tests.unit.client.fake_server import Answer, problem

SECRETS = "/v1/projects/default/secrets"


def one(name: str, *readers: str) -> dict[str, object]:
    version = {"number": 2, "who": "ann", "at": time.time() - 7200}
    return {
        "name": name, "version": 2, "who": "ann", "at": version["at"], "versions": [version], "used_by": readers,
    }  # fmt: skip


def test_a_value_comes_from_standard_input(terrace, routes, server, monkeypatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse\n"))
    routes[f"PUT {SECRETS}/db"] = {"name": "db", "version": 3}
    ran = terrace("secret", "set", "db")
    assert (ran.code, ran.out, ran.err) == (0, "", "terrace: secret db is set (version 3)\n")
    assert server.requests[-1].body == {"value": "correct horse"}


def test_a_file_is_taken_as_it_is(terrace, routes, server, tmp_path: Path) -> None:
    routes[f"PUT {SECRETS}/key"] = {"name": "key", "version": 1}
    (tmp_path / "key.pem").write_text("-----BEGIN-----\n-----END-----\n")
    assert terrace("secret", "set", "key", "--from-file", str(tmp_path / "key.pem")).code == 0
    assert server.requests[-1].body == {"value": "-----BEGIN-----\n-----END-----\n"}
    ran = terrace("secret", "set", "key", "--from-file", str(tmp_path / "none"))
    assert (ran.code, "cannot be read" in ran.err) == (1, True)


@pytest.mark.parametrize("words", [("set", "db", "value"), ("set", "db", "--value", "x"), ("reveal", "db")])
def test_no_value_on_the_command_line_and_no_way_to_see_one(terrace, routes, words: tuple[str, ...]) -> None:
    assert terrace("secret", *words).code == 1


def test_the_list_says_who_reads_what(terrace, routes) -> None:
    routes[f"GET {SECRETS}"] = {"items": [one("db", "blog", "shop"), one("key")], "next": None}
    assert terrace("secret", "list").out == (
        "SECRET  VERSION  AGE  BY   READ BY\n"
        "db      2        2h   ann  blog, shop\n"
        "key     2        2h   ann  -\n"
    )
    assert terrace("secret", "list", "-o", "name").out == "db\nkey\n"
    assert json.loads(terrace("secret", "list", "-o", "json").out)[0]["used_by"] == ["blog", "shop"]


def test_those_of_the_installation(terrace, routes, monkeypatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("x"))
    routes["GET /v1/secrets"] = {"items": [], "next": None}
    ran = terrace("secret", "list", "--installation")
    assert ran.err == "terrace: there are no secrets yet: terrace secret set NAME\n"
    routes["PUT /v1/secrets/ldap"] = {"name": "ldap", "version": 1}
    assert terrace("secret", "set", "ldap", "--installation").code == 0


def test_one_in_use_stays(terrace, routes) -> None:
    routes[f"DELETE {SECRETS}/db"] = problem(
        409, "secret-in-use", 'secret "db" is in use by shop', hint="with --force they keep what they have"
    )
    ran = terrace("secret", "rm", "db")
    assert (ran.code, "in use by shop" in ran.err) == (4, True)
    routes[f"DELETE {SECRETS}/db"] = Answer(None, status=204)
    assert terrace("secret", "rm", "db", "--force").err == "terrace: secret db is gone\n"
