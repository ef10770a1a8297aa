"""People whom a real directory knows: how they log in, what their groups give, and how they go."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from terrace.drivers.ldap.directory import LdapDirectory, Place
from terrace.errors import TransientError
from terrace.services.settings import Ldap
from tests.real.people.slapd import BASE, Slapd, certify, dn
from tests.unit.api.rig import Rig, running

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:ldap3")
NOBODY = (
    "",
    " ",
    "*",
    "a*",
    "ada)(uid=*",
    "ada)(|(uid=*",
    "\\2a",
    "ada\x00",
    "ad\N{LATIN SMALL LETTER A}x",
    "(",
    ")",
)


def settings(slapd: Slapd, **more: Any) -> Ldap:
    given: dict[str, Any] = {
        "url": slapd.url,
        "ca": str(slapd.folder / "ca.pem"),
        "bind_dn": f"cn=reader,{BASE}",
        "password_file": str(slapd.folder / "reader"),
        "users": f"ou=people,{BASE}",
        "groups": f"ou=groups,{BASE}",
        "roles": {"devs": ["shop:developer", "lab:viewer"], "ops": ["installation"]},
        "timeout": 2.0,
    }
    return Ldap(**{**given, **more})


def directory(slapd: Slapd, **more: Any) -> LdapDirectory:
    said = settings(slapd, **more)
    return LdapDirectory(Place(**{name: getattr(said, name) for name in Place.__struct_fields__}))


@pytest.fixture
async def rig(slapd: Slapd, tmp_path: Path) -> AsyncIterator[Rig]:
    said = settings(slapd, check=0.001, patience=3600.0)
    async with running(tmp_path, directory=directory(slapd), ldap=said) as found:
        yield found


async def login(rig: Rig, name: str, password: str, host: str = "192.0.2.1") -> httpx.Response:
    return await rig.client(host=host).post("/v1/login", json={"name": name, "password": password})


@pytest.mark.parametrize("how", ["start_tls", "ldaps"])
async def test_a_person_is_checked_and_found(slapd: Slapd, how: str) -> None:
    asked = directory(slapd, url=slapd.url if how == "start_tls" else slapd.tls_url)
    found = await asked.check("ada", "pw-of-ada")
    assert found is not None
    assert (found.name, found.title, found.groups) == ("ada", "Ada Lovelace", ("devs", "ops"))
    assert await asked.find("ada") == found
    bob = await asked.find("bob")
    assert bob is not None
    assert (bob.title, bob.groups) == ("Bob (of *all*)", ("devs",))
    for name, password in (("ada", "wrong"), ("ada", ""), ("ada", "pw-of-bob"), ("eve", "pw-of-ada")):
        assert await asked.check(name, password) is None, (name, password)


@pytest.mark.parametrize("name", NOBODY)
async def test_what_somebody_types_is_no_filter(slapd: Slapd, name: str) -> None:
    """Names go into the filter as nothing but themselves."""
    asked = directory(slapd)
    assert await asked.check(name, "pw-of-ada") is None
    assert await asked.find(name) is None


async def test_an_entry_with_odd_letters_is_still_one_entry(slapd: Slapd) -> None:
    """The name of an entry goes into the filter of groups: commas, brackets and stars in it, too."""
    odd = f"cn=O\\27Hara\\2C (x*)\\\\,ou=people,{BASE}"
    with slapd.admin() as there:
        said = {"sn": "x", "uid": "odd", "userPassword": "pw-of-odd"}
        there.add(odd, "inetOrgPerson", said)
        assert there.result["result"] == 0, there.result
        there.add(f"cn=odds,ou=groups,{BASE}", "groupOfNames", {"member": [odd]})
        assert there.result["result"] == 0, there.result
    found = await directory(slapd).check("odd", "pw-of-odd")
    assert found is not None
    assert found.groups == ("odds",)


async def test_two_of_one_name_are_nobody(slapd: Slapd) -> None:
    with slapd.admin() as there:
        there.add(f"ou=more,ou=people,{BASE}", "organizationalUnit")
        said = {"cn": "other", "sn": "x", "uid": "ada", "userPassword": "pw-of-other"}
        there.add(f"cn=other,ou=more,ou=people,{BASE}", "inetOrgPerson", said)
    assert await directory(slapd).check("ada", "pw-of-ada") is None


async def test_a_certificate_that_is_not_theirs_is_refused(slapd: Slapd, tmp_path: Path) -> None:
    """Nothing is said to who only says that they are the directory."""
    (tmp_path / "other").mkdir()
    certify(tmp_path / "other", ["127.0.0.1"])
    for url in (slapd.url, slapd.tls_url):
        with pytest.raises(TransientError) as refused:
            await directory(slapd, url=url, ca=str(tmp_path / "other" / "ca.pem")).check("ada", "pw-of-ada")
        assert refused.value.code == "directory-unreachable"
        assert "pw-of-ada" not in refused.value.message
        assert "reader-secret" not in refused.value.message


async def test_a_certificate_for_another_name_is_refused(tmp_path: Path) -> None:
    slapd = Slapd(tmp_path / "slapd")
    certify(slapd.folder, ["ldap.example.org"])
    slapd.start()
    try:
        slapd.fill()
        for url in (slapd.url, slapd.tls_url):
            with pytest.raises(TransientError):
                await directory(slapd, url=url).check("ada", "pw-of-ada")
    finally:
        slapd.stop()


async def test_groups_there_are_roles_here(rig: Rig) -> None:
    ada = await login(rig, "Ada", "pw-of-ada")
    assert ada.status_code == 200, ada.text
    assert ada.json()["name"] == "ada"
    me = (await rig.client(ada.json()["token"]).get("/v1/me")).json()
    assert set(me["rights"]) == {"shop", "lab"}
    assert me["installation"] == ["catalogue", "inspect", "installation"]
    bob = await login(rig, "bob", "pw-of-bob")
    me = (await rig.client(bob.json()["token"]).get("/v1/me")).json()
    assert me["installation"] == ["catalogue"]
    assert me["rights"] == {"shop": ["logs", "read", "write"], "lab": ["read"]}
    assert (await login(rig, "bob", "pw-of-ada")).status_code == 401
    users = (await rig.get("/v1/users"))["items"]
    assert [(one["name"], one["source"], one["title"]) for one in users] == [
        ("ada", "ldap", "Ada Lovelace"),
        ("bob", "ldap", "Bob (of *all*)"),
    ]


async def test_who_leaves_a_group_there_loses_it_here(rig: Rig, slapd: Slapd) -> None:
    token = (await login(rig, "ada", "pw-of-ada")).json()["token"]
    assert (await rig.client(token).get("/v1/users")).status_code == 200
    with slapd.admin() as there:
        there.modify(f"cn=ops,ou=groups,{BASE}", {"member": [("MODIFY_REPLACE", [dn("bob")])]})
    answers = [(await rig.client(token).get("/v1/users")).status_code for _ in range(3)]
    assert 200 not in answers
    again = (await login(rig, "ada", "pw-of-ada")).json()["token"]
    assert (await rig.client(again).get("/v1/users")).status_code == 403


async def test_who_is_gone_there_is_gone_here(rig: Rig, slapd: Slapd) -> None:
    token = (await login(rig, "bob", "pw-of-bob")).json()["token"]
    made = await rig.client(token).post("/v1/tokens", json={"name": "script"})
    script = made.json()["token"]
    assert (await rig.client(script).get("/v1/me")).status_code == 200
    with slapd.admin() as there:
        there.delete(dn("bob"))
    for one in (token, script):
        answer = await rig.client(one).get("/v1/me")
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    with slapd.admin() as there:
        slapd.person(there, "bob", "Another Bob")
    again = await login(rig, "bob", "pw-of-bob")
    assert again.status_code == 401, "a new one of that name gets in when an administrator lets them"
    assert (await rig.http.patch("/v1/users/bob", json={"disabled": False})).status_code == 200
    assert (await login(rig, "bob", "pw-of-bob")).status_code == 200
    assert (await rig.client(script).get("/v1/me")).status_code == 401


async def test_while_the_directory_is_away_local_users_go_on(rig: Rig, slapd: Slapd) -> None:
    made = await rig.http.post("/v1/users", json={"name": "local", "password": "four words in a row"})
    assert made.status_code == 201
    token = (await login(rig, "ada", "pw-of-ada")).json()["token"]
    slapd.stop()
    away = await login(rig, "bob", "pw-of-bob")
    assert (away.status_code, away.json()["code"]) == (503, "directory-unreachable")
    assert "pw-of-bob" not in away.text
    assert (await login(rig, "local", "four words in a row")).status_code == 200
    assert (await rig.client(token).get("/v1/me")).status_code == 200, "sessions outlive that for a while"
    slapd.start()
    assert (await login(rig, "bob", "pw-of-bob")).status_code == 200


async def test_patience_ends(slapd: Slapd, tmp_path: Path) -> None:
    said = settings(slapd, check=0.001, patience=0.001)
    async with running(tmp_path, directory=directory(slapd), ldap=said) as rig:
        token = (await login(rig, "ada", "pw-of-ada")).json()["token"]
        slapd.stop()
        answer = await rig.client(token).get("/v1/me")
        assert (answer.status_code, answer.json()["code"]) == (503, "directory-unreachable")


async def test_a_local_user_hides_one_of_the_directory(rig: Rig) -> None:
    """Nobody becomes a local user by having their name in the directory."""
    await rig.http.post("/v1/users", json={"name": "ada", "password": "four words in a row", "admin": True})
    assert (await login(rig, "ada", "pw-of-ada")).status_code == 401
    assert (await login(rig, "ada", "four words in a row")).status_code == 200
    refused = await rig.http.patch("/v1/users/ada", json={"password": "five words in a row now"})
    assert refused.status_code == 200
