"""Passwords, sessions and tokens: what is kept of them, what they allow, and how they end."""

from __future__ import annotations

import time
from typing import Any

import pytest

from terrace.services.gate import Right
from terrace.services.people.passwords import Passwords
from terrace.services.people.roles import IN_PROJECTS, ROLES, Role
from tests.unit.api.rig import Rig
from tests.unit.security.people import PASSWORD, person, project, stack, token, user
from tests.unit.security.test_leaving import made

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl ada@laptop"


async def attempt(rig: Rig, name: str, password: str, host: str = "192.0.2.1") -> Any:
    return await rig.client(host=host).post("/v1/login", json={"name": name, "password": password})


async def test_nothing_that_opens_a_door_is_kept(rig: Rig) -> None:
    """CVE-2021-36782 (Rancher): tokens were readable in objects. Neither passwords nor tokens are anywhere."""
    await user(rig, "ada")
    session = await token(rig, "ada")
    script = await made(rig.client(session))
    told = [(await rig.client(session).get(path)).text for path in ("/v1/tokens", "/v1/me")]
    told += [(await rig.http.get(path)).text for path in ("/v1/users", "/v1/audit", "/v1/users/ada")]
    tables = ["users", "credentials", "audit", "members", "projects"]
    told += [repr(await rig.database.rows(f"SELECT * FROM {table}")) for table in tables]
    told.append(repr(rig.telemetry.lines))
    for text in told:
        for secret in (PASSWORD, session, script, session[4:], script[4:]):
            assert secret not in text
    ((kept,),) = await rig.database.rows("SELECT password FROM users")
    assert kept.startswith("$argon2id$")
    assert "argon2" not in (await rig.http.get("/v1/users")).text


async def test_who_is_unknown_costs_as_much_as_who_is_wrong(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody learns from an answer, or from how long it took, who has an account."""
    from argon2 import PasswordHasher

    await user(rig, "ada")
    await rig.http.post("/v1/users", json={"name": "empty"})
    tried: list[str] = []
    real = PasswordHasher.verify

    def verify(self: PasswordHasher, kept: Any, password: Any) -> Any:
        tried.append(kept[: kept.rindex("$", 0, kept.rindex("$"))])
        return real(self, kept, password)

    monkeypatch.setattr(PasswordHasher, "verify", verify)
    answers = [await attempt(rig, name, "wrong words in a row") for name in ("ada", "nobody", "empty", "")]
    assert len({answer.text for answer in answers[:3]}) == 1
    assert [answer.status_code for answer in answers] == [401, 401, 401, 400]
    assert len(tried) == 3
    assert len(set(tried)) == 1, "at the same cost"


async def test_passwords_are_slow_to_try_and_bounded() -> None:
    passwords = Passwords()
    began = time.perf_counter()
    kept = await passwords.hash(PASSWORD)
    assert time.perf_counter() - began > 0.003
    assert "$m=19456,t=2,p=1$" in kept
    assert kept != await passwords.hash(PASSWORD)
    assert await passwords.fits(kept, PASSWORD)
    assert not await passwords.fits(kept, PASSWORD + " ")
    assert not await passwords.fits("", PASSWORD)
    assert not await passwords.fits("", "the password of nobody")
    assert not await passwords.fits("no hash", PASSWORD)
    long = "x" * 512
    assert not await passwords.fits(await passwords.hash(long), long + "y")


@pytest.mark.parametrize("password", ["", "short", "x" * 9, "x" * 513])
async def test_passwords_that_cannot_be(rig: Rig, password: str) -> None:
    answer = await rig.http.post("/v1/users", json={"name": "ada", "password": password})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad-password")


async def test_wrong_passwords_are_counted_by_place(rig: Rig) -> None:
    await user(rig, "ada")
    assert [(await attempt(rig, "ada", PASSWORD)).status_code for _ in range(12)] == [200] * 12
    codes = [(await attempt(rig, f"eve{one}", "wrong words in a row")).status_code for one in range(12)]
    assert codes == [401] * 10 + [429] * 2
    assert (await attempt(rig, "ada", PASSWORD)).status_code == 429, (
        "also for who is right now: it says nothing"
    )
    assert (await attempt(rig, "ada", PASSWORD, host="192.0.2.2")).status_code == 200


async def test_wrong_passwords_are_counted_by_name(rig: Rig) -> None:
    await user(rig, "ada")
    places = [f"198.51.100.{one}" for one in range(52)]
    codes = [(await attempt(rig, "ada", "wrong words in a row", host)).status_code for host in places]
    assert codes == [401] * 50 + [429] * 2
    assert (await attempt(rig, "bob", "wrong words in a row", "203.0.113.1")).status_code == 401


async def test_a_session_ends(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    await user(rig, "ada")
    session = await token(rig, "ada")
    script = await made(rig.client(session), lasts=30 * 3600)
    now = time.time()
    monkeypatch.setattr(rig.clock, "now", lambda: now + 12 * 3600 + 1)
    assert (await rig.client(session).get("/v1/me")).status_code == 401
    assert (await rig.client(script).get("/v1/me")).status_code == 200
    monkeypatch.setattr(rig.clock, "now", lambda: now + 30 * 3600 + 1)
    assert (await rig.client(script).get("/v1/me")).status_code == 401


async def test_logging_out_ends_the_session(rig: Rig) -> None:
    ada = await person(rig, "ada")
    other = rig.client(await token(rig, "ada"))
    assert (await ada.post("/v1/logout")).status_code == 204
    assert (await ada.get("/v1/me")).status_code == 401
    assert (await other.get("/v1/me")).status_code == 200


async def test_another_password_ends_every_session(rig: Rig) -> None:
    ada, other = await person(rig, "ada"), rig.client(await token(rig, "ada"))
    new = "five other words in a row"
    wrong = await ada.put("/v1/me/password", json={"old": "wrong words in a row", "new": new})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "wrong-credentials")
    assert (await ada.put("/v1/me/password", json={"old": PASSWORD, "new": new})).status_code == 204
    assert [(await one.get("/v1/me")).status_code for one in (ada, other)] == [401, 401]
    assert (await attempt(rig, "ada", PASSWORD)).status_code == 401
    assert (await attempt(rig, "ada", new)).status_code == 200


async def test_a_token_may_no_more_than_it_says(rig: Rig) -> None:
    """CVE-2013-6426 (Heat), CVE-2016-7404 (Magnum): credentials that could do more than they were for."""
    await user(rig, "ada", admin=True)
    await project(rig, "shop", ada="admin")
    await project(rig, "lab", ada="admin")
    session = rig.client(await token(rig, "ada"))
    await stack(session, "shop")
    viewer = rig.client(await made(session, project="shop", role="viewer"))
    assert (await viewer.get("/v1/projects/shop/stacks/shop")).status_code == 200
    assert (await stack(viewer, "shop")).status_code == 403
    assert (
        await viewer.get("/v1/projects/shop/stacks/shop/outputs", params={"reveal": 1})
    ).status_code == 403
    assert (await viewer.get("/v1/projects/lab/stacks")).status_code == 404
    everywhere = rig.client(await made(session, rights=["logs"]))
    assert (await everywhere.get("/v1/projects/lab/stacks")).status_code == 200
    assert (await stack(everywhere, "lab")).status_code == 403
    for narrowed in (viewer, everywhere):
        assert (await narrowed.get("/v1/users")).status_code == 403, "what an administrator may is not in it"
    whole = rig.client(await made(session))
    assert (await whole.get("/v1/users")).status_code == 200


async def test_a_token_that_only_looks_at_the_server(rig: Rig) -> None:
    """For a program that reads /metrics: it sees no stack of anybody."""
    ada, eve = await person(rig, "ada", admin=True), await person(rig, "eve")
    await project(rig, "shop", ada="admin")
    looking = rig.client(await made(ada, rights=["inspect"]))
    assert (await looking.get("/metrics")).status_code == 200
    assert (await looking.get("/v1/projects/shop/stacks")).status_code == 404
    assert (await looking.post("/v1/users", json={"name": "x"})).status_code == 403
    more = rig.client(await made(eve, rights=["inspect"]))
    assert (await more.get("/metrics")).status_code == 403, "nobody gives themselves what they do not have"
    scoped = await ada.post("/v1/tokens", json={"name": "x", "project": "shop", "rights": ["inspect"]})
    assert (scoped.status_code, scoped.json()["code"]) == (400, "unknown-right")


async def test_a_token_makes_no_tokens_and_changes_no_password(rig: Rig) -> None:
    """Who finds a token has what it may, until it ends, and no way to more."""
    ada = await person(rig, "ada")
    found = rig.client(await made(ada))
    tries = [
        await found.post("/v1/tokens", json={"name": "more"}),
        await found.put("/v1/me/password", json={"old": PASSWORD, "new": "five other words in a row"}),
        await found.post("/v1/ssh-keys", json={"name": "mine", "text": KEY}),
    ]
    assert [(one.status_code, one.json()["code"]) for one in tries] == [(403, "login-needed")] * 3


async def test_a_service_token_is_its_projects(rig: Rig) -> None:
    ada = await person(rig, "ada")
    await project(rig, "shop", ada="developer")
    wish = {"name": "ci", "project": "shop", "role": "developer", "service": True}
    assert (await ada.post("/v1/tokens", json=wish)).status_code == 403
    await project(rig, "lab", ada="admin")
    for wrong in (
        {"role": ""},
        {"project": ""},
        {"role": "boss"},
        {"rights": ["installation"]},
        {"lasts": 1e9},
    ):
        answer = await ada.post("/v1/tokens", json={**wish, "project": "lab", **wrong})
        assert answer.status_code in (400, 404), wrong
    ci = rig.client((await ada.post("/v1/tokens", json={**wish, "project": "lab"})).json()["token"])
    assert (await stack(ci, "lab")).status_code == 201
    assert (await ci.get("/v1/projects/shop/stacks")).status_code == 404
    assert (await ci.get("/v1/projects/lab/stacks/shop/generations")).json()["items"][0]["who"] == "lab/ci"
    listed = (await ada.get("/v1/tokens", params={"project": "lab"})).json()["items"]
    assert [(one["name"], one["kind"], one["maker"]) for one in listed] == [("ci", "service", "ada")]
    gone = await ada.delete(f"/v1/tokens/{listed[0]['id']}", params={"project": "lab"})
    assert gone.status_code == 204
    assert (await ci.get("/v1/me")).status_code == 401


async def test_tokens_of_others_are_not_there(rig: Rig) -> None:
    ada, eve = await person(rig, "ada"), await person(rig, "eve")
    await made(ada)
    listed = (await ada.get("/v1/tokens")).json()["items"]
    assert {one["kind"] for one in listed} == {"session", "token"}
    for one in listed:
        assert (await eve.delete(f"/v1/tokens/{one['id']}")).status_code == 404
    assert [one["maker"] for one in (await eve.get("/v1/tokens")).json()["items"]] == ["eve"]


def test_roles_grow() -> None:
    """Each role may what the one before may, and only the last says who is a member."""
    before: frozenset[Right] = frozenset()
    for role in Role:
        assert before < ROLES[role] <= IN_PROJECTS
        before = ROLES[role]
    assert before == IN_PROJECTS
    assert [role for role in Role if Right.MEMBERS in ROLES[role]] == [Role.ADMIN]


async def test_what_is_denied_no_group_gives(rig: Rig) -> None:
    ada = await person(rig, "ada")
    await project(rig, "shop")
    await rig.http.post("/v1/groups", json={"name": "ops"})
    await rig.http.put("/v1/groups/ops/members/ada")
    await rig.http.put("/v1/projects/shop/members/group/ops", json={"role": "operator"})
    seat = {"role": "viewer", "granted": ["reveal"], "denied": ["exec", "logs"]}
    await rig.http.put("/v1/projects/shop/members/user/ada", json=seat)
    me = (await ada.get("/v1/me")).json()
    assert me["rights"]["shop"] == ["operate", "read", "reveal", "write"]
    wrong = await rig.http.put(
        "/v1/projects/shop/members/user/ada", json={"role": "viewer", "denied": ["read"]}
    )
    assert wrong.status_code == 400
    wrong = await rig.http.put(
        "/v1/projects/shop/members/user/ada", json={"role": "viewer", "granted": ["inspect"]}
    )
    assert (wrong.status_code, wrong.json()["code"]) == (400, "unknown-right")


async def test_an_administrator_sees_no_secrets_of_others(rig: Rig) -> None:
    """CVE-2025-64420 (Coolify): members read what only the owner was to see."""
    ada = await person(rig, "ada", admin=True)
    await project(rig, "shop")
    await stack(rig.http, "shop", "web")
    at = "/v1/projects/shop/stacks/web"
    assert (await ada.get(at)).status_code == 200
    assert (await ada.get(at + "/outputs")).status_code == 200
    assert (await ada.get(at + "/outputs", params={"reveal": 1})).status_code == 403
    assert (await ada.get(at + "/logs")).status_code == 403
    assert (await ada.put("/v1/projects/shop/members/user/ada", json={"role": "admin"})).status_code == 200
    assert (await ada.get(at + "/outputs", params={"reveal": 1})).status_code == 200
    rows = (await rig.get("/v1/audit", project="shop"))["items"]
    said = [(row["actor"], row["right"], row["outcome"]) for row in rows if row["actor"] == "ada"]
    assert said == [
        ("ada", "reveal", "denied"),
        ("ada", "logs", "denied"),
        ("ada", "members", "allowed"),
        ("ada", "reveal", "allowed"),
    ]


async def test_the_first_login_makes_a_project(rig: Rig) -> None:
    await user(rig, "ada", title="Ada Lovelace")
    first = (await attempt(rig, "ada", PASSWORD)).json()
    again = (await attempt(rig, "ada", PASSWORD)).json()
    assert first["project"] == again["project"]
    assert first["project"].count("-") == 1
    ada = rig.client(first["token"])
    (mine,) = (await ada.get("/v1/projects")).json()["items"]
    assert (mine["name"], mine["title"]) == (first["project"], "Ada Lovelace's project")
    assert "members" in mine["rights"]
    assert (await stack(ada, mine["name"])).status_code == 201


async def test_logins_are_in_the_audit_log(rig: Rig) -> None:
    await user(rig, "ada")
    await attempt(rig, "ada", "wrong words in a row", "192.0.2.7")
    session = (await attempt(rig, "ada", PASSWORD, "192.0.2.8")).json()["token"]
    await rig.client(session).post("/v1/logout")
    rows = [row for row in (await rig.get("/v1/audit"))["items"] if row["right"] in ("login", "logout")]
    assert [(row["actor"], row["right"], row["source"], row["outcome"]) for row in rows] == [
        ("ada", "login", "192.0.2.7", "denied"),
        ("ada", "login", "192.0.2.8", "allowed"),
        ("ada", "logout", "192.0.2.1", "allowed"),
    ]
    assert rows[1]["credential"] == rows[2]["credential"] != ""
    assert (await rig.get("/v1/audit/verify"))["whole"] is True


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ssh-ed25519",
        "ssh-ed25519 AAAA",
        KEY + "\n" + KEY,
        'command="rm -rf /" ' + KEY,
        "ssh-dss " + KEY.split()[1],
        KEY.replace("ssh-ed25519", "ssh-rsa", 1),
        "-----BEGIN OPENSSH PRIVATE KEY-----",
    ],
)
async def test_what_is_no_public_key(rig: Rig, text: str) -> None:
    """CVE-2026-45408 (Dokku): what people give must not become a command; a key file obeys options."""
    ada = await person(rig, "ada")
    answer = await ada.post("/v1/ssh-keys", json={"name": "laptop", "text": text})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad-key-text")


async def test_public_keys(rig: Rig) -> None:
    ada, eve = await person(rig, "ada"), await person(rig, "eve")
    made_key = await ada.post("/v1/ssh-keys", json={"name": "laptop", "text": KEY + "\n"})
    assert made_key.status_code == 201
    assert made_key.json()["fingerprint"].startswith("SHA256:")
    assert (await ada.get("/v1/ssh-keys")).json()["items"][0]["text"] == KEY
    assert (await eve.get("/v1/ssh-keys")).json()["items"] == []
    assert (await eve.delete("/v1/ssh-keys/laptop")).status_code == 404
    assert (await ada.delete("/v1/ssh-keys/laptop")).status_code == 204
