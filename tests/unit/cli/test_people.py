"""terrace user, group, project, token, key, auth and audit."""

from __future__ import annotations

import io
import json
import sys

import pytest

from tests.unit.cli.samples import page
from tests.unit.client.fake_server import Answer, problem

ADA = {"name": "ada", "title": "Ada", "source": "local", "admin": True, "disabled": False, "created": 0.0}
DEVS = {"name": "devs", "source": "local", "members": ["ada", "bob"], "created": 0.0}
SHOP = {"name": "shop", "title": "The shop", "created": 0.0, "maker": "ada", "rights": ["read", "write"]}
BOB = {"kind": "user", "name": "bob", "role": "viewer", "granted": ["exec"], "denied": ["logs"], "since": 0.0}
CI = {
    "id": "k3v9", "kind": "service", "name": "ci", "project": "shop", "role": "viewer", "rights": ["logs"],
    "created": 0.0, "maker": "ada", "expires": 9e9, "used": 0.0,
}  # fmt: skip
ME = {
    "name": "ada", "owner": False, "rights": {"shop": ["read"]}, "everywhere": [], "installation": ["catalogue"],
}  # fmt: skip
ROW = {
    "number": 7, "at": 0.0, "actor": "ada", "credential": "k3v9", "source": "192.0.2.1", "right": "write",
    "project": "shop", "subject": "web", "outcome": "denied", "digest": "9f2c",
}  # fmt: skip
SECRET = "four words in a row"


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch):
    """Has standard input hold these lines."""
    return lambda *lines: monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{one}\n" for one in lines)))


def test_users_are_listed(terrace, routes) -> None:
    routes["GET /v1/users"] = page(ADA)
    ran = terrace("user", "list")
    assert ran.out.splitlines()[1].split()[:3] == ["ada", "Ada", "local"]
    assert "administrator" in ran.out
    assert json.loads(terrace("user", "list", "-o", "json").out) == [ADA]
    assert terrace("user", "list", "-o", "name").out == "ada\n"


def test_a_user_is_added_with_a_password_that_is_no_flag(terrace, routes, server, typed, tmp_path) -> None:
    routes["POST /v1/users"] = Answer(ADA, 201)
    typed(SECRET)
    assert terrace("user", "add", "ada", "--admin").code == 0
    assert server.requests[-1].body == {"name": "ada", "title": "", "admin": True, "password": SECRET}
    (tmp_path / "file").write_text(f"{SECRET}\nmore\n")
    assert terrace("user", "add", "ada", "--password-file", str(tmp_path / "file")).code == 0
    assert server.requests[-1].body["password"] == SECRET
    assert terrace("user", "add", "ada", "--no-password").code == 0
    assert "password" not in server.requests[-1].body
    typed("")
    ran = terrace("user", "add", "ada")
    assert (ran.code, "there is no password" in ran.err) == (1, True)
    for flag in ("--password", "-p"):
        assert terrace("user", "add", "ada", flag, SECRET).code == 1


def test_a_user_is_changed_and_goes(terrace, routes, server, typed) -> None:
    routes["PATCH /v1/users/ada"] = ADA
    routes["PUT /v1/me/password"] = Answer(None, 204)
    routes["DELETE /v1/users/ada"] = problem(409, "last-admin", '"ada" is the last administrator')
    terrace("user", "change", "ada", "--disable", "--no-admin")
    assert server.requests[-1].body == {"admin": False, "disabled": True}
    typed(SECRET)
    terrace("user", "password", "ada")
    assert server.requests[-1].body == {"password": SECRET}
    typed("the old one here", SECRET)
    assert terrace("user", "password").code == 0
    assert server.requests[-1].body == {"old": "the old one here", "new": SECRET}
    assert "needs a yes" in terrace("user", "rm", "ada").err
    assert "last administrator" in terrace("user", "rm", "ada", "--yes").err


def test_groups(terrace, routes, server) -> None:
    routes["GET /v1/groups"] = page(DEVS)
    assert "ada, bob" in terrace("group", "list").out
    routes["POST /v1/groups"] = Answer(DEVS, 201)
    assert terrace("group", "add", "devs").code == 0
    for user in ("ada", "bob"):
        routes[f"PUT /v1/groups/devs/members/{user}"] = DEVS
        routes[f"DELETE /v1/groups/devs/members/{user}"] = {**DEVS, "members": []}
    assert terrace("group", "join", "devs", "ada", "bob").err == "terrace: in devs are now ada, bob\n"
    assert terrace("group", "leave", "devs", "bob").err == "terrace: in devs are now none\n"
    routes["DELETE /v1/groups/devs"] = Answer(None, 204)
    assert terrace("group", "rm", "devs", "--yes").code == 0


def test_projects_and_members(terrace, routes, server) -> None:
    routes["GET /v1/projects"] = page(SHOP)
    assert terrace("project", "list").out.splitlines()[1].split() == ["shop", "The", "shop", "read", "write"]
    routes["GET /v1/projects/shop/members"] = page(BOB)
    assert terrace("project", "members", "shop").out.splitlines()[1].split()[2:] == [
        "viewer",
        "+exec",
        "-logs",
    ]
    routes["PUT /v1/projects/shop/members/group/devs"] = BOB
    terrace("project", "member", "shop", "devs", "--group", "--role", "viewer", "--grant", "exec")
    assert server.requests[-1].body == {"role": "viewer", "granted": ["exec"], "denied": []}
    routes["DELETE /v1/projects/shop/members/user/bob"] = Answer(None, 204)
    assert terrace("project", "dismiss", "shop", "bob").code == 0
    assert terrace("project", "member", "shop", "bob", "--role", "boss").code == 1


def test_what_a_project_may_use(terrace, routes, server) -> None:
    routes["GET /v1/projects/shop/reach"] = page()
    assert "what the settings say" in terrace("project", "reach", "shop").err
    routes["PUT /v1/projects/shop/reach"] = page({"provider": "cloud", "region": "eu"})
    assert "eu" in terrace("project", "reach", "shop", "local", "cloud/eu").out
    assert server.requests[-1].body == {
        "reach": [{"provider": "local", "region": ""}, {"provider": "cloud", "region": "eu"}]
    }
    routes["PUT /v1/projects/shop/reach"] = page()
    terrace("project", "reach", "shop", "--all")
    assert server.requests[-1].body == {"reach": []}


def test_tokens(terrace, routes, server) -> None:
    routes["POST /v1/tokens"] = Answer({"token": "trc_x", "about": CI}, 201)
    words = ("token", "create", "ci", "--service", "--project", "shop", "--role", "viewer", "--lasts", "90d")
    ran = terrace(*words)
    assert ran.out == "trc_x\n"
    assert "the only time it is shown" in ran.err
    assert server.requests[-1].body == {
        "name": "ci", "project": "shop", "role": "viewer", "rights": [], "service": True, "lasts": 90 * 86400.0,
    }  # fmt: skip
    assert terrace("token", "create", "ci", "--lasts", "soon").code == 1
    routes["GET /v1/tokens"] = page(CI)
    assert terrace("token", "list").out.splitlines()[1].split()[:6] == [
        "k3v9", "service", "ci", "shop", "viewer", "logs",
    ]  # fmt: skip
    routes["DELETE /v1/tokens/k3v9"] = Answer(None, 204)
    assert terrace("token", "revoke", "k3v9").code == 0


def test_keys(terrace, routes, server, typed, tmp_path) -> None:
    key = {"name": "laptop", "text": "ssh-ed25519 AAAA ada", "fingerprint": "SHA256:x", "created": 0.0}
    routes["GET /v1/ssh-keys"] = page(key)
    assert terrace("key", "list").out.splitlines()[1].split()[:3] == ["laptop", "ssh-ed25519", "SHA256:x"]
    routes["POST /v1/ssh-keys"] = Answer(key, 201)
    (tmp_path / "id.pub").write_text("ssh-ed25519 AAAA ada\n")
    assert terrace("key", "add", "laptop", str(tmp_path / "id.pub")).code == 0
    assert server.requests[-1].body["text"] == "ssh-ed25519 AAAA ada\n"
    (tmp_path / "id").write_text("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    count = len(server.requests)
    ran = terrace("key", "add", "laptop", str(tmp_path / "id"))
    assert (ran.code, "private key" in ran.err, len(server.requests)) == (1, True, count)


def test_who_i_am_and_what_i_may(terrace, routes) -> None:
    routes["GET /v1/me"] = ME
    assert "shop" in terrace("auth", "whoami").out
    assert json.loads(terrace("auth", "whoami", "-o", "json").out) == ME
    assert (terrace("auth", "can-i", "read", "shop").out, terrace("auth", "can-i", "read", "shop").code) == (
        "yes\n",
        0,
    )
    for words in (("exec", "shop"), ("read", "lab"), ("installation",)):
        ran = terrace("auth", "can-i", *words)
        assert (ran.out, ran.code) == ("no\n", 5)
    routes["GET /v1/me"] = problem(401, "unauthenticated", "this needs a token")
    assert terrace("auth", "whoami").code == 5


def test_the_audit_log(terrace, routes, server) -> None:
    routes["GET /v1/audit"] = page(ROW)
    ran = terrace("audit", "list", "--project", "shop", "-n", "5")
    assert ran.out.splitlines()[1].split()[3:] == ["ada", "192.0.2.1", "write", "shop", "web", "denied"]
    assert json.loads(terrace("audit", "list", "--all", "-o", "json").out) == [ROW]
    whole = {"whole": True, "count": 7, "first": 1, "last": 7, "digest": "9f2c", "fault": "", "at": 0}
    routes["GET /v1/audit/verify"] = whole
    assert terrace("audit", "verify").out.endswith("the last: 7:9f2c\n")
    routes["GET /v1/audit/verify"] = {
        **whole,
        "whole": False,
        "fault": "row 3 is not what was written",
        "at": 3,
    }
    ran = terrace("audit", "verify")
    assert (ran.code, "row 3" in ran.out) == (1, True)
