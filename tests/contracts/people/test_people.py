"""The contract of ports.people, over every database."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from terrace.errors import ConflictError, NotFoundError
from terrace.ports.people import (
    GROUP,
    LDAP,
    SERVICE,
    SESSION,
    TOKEN,
    USER,
    Credential,
    CredentialQuery,
    Group,
    Member,
    People,
    Project,
    Reach,
    SshKey,
    User,
)
from terrace.stores.relational.people import RelationalPeople
from tests.contracts.store.samples import a_generation, a_stack


@pytest.fixture
def people(store: Any) -> People:
    return RelationalPeople(store.database)


def a_user(name: str, **more: Any) -> User:
    return User(f"id-{name}", name, f"The {name}", created=1.0, checked=2.0, password="hash", **more)


def a_credential(name: str, kind: str = SESSION, **more: Any) -> Credential:
    given = {"owner": "id-ada", "created": 1.0, "maker": "ada", "expires": 100.0, **more}
    return Credential(f"id-{name}", f"digest-{name}", kind, name=name, **given)


async def names(people: People, owner: str = "id-ada") -> set[str]:
    return {one.name for one in await people.credentials.listing(CredentialQuery(owner=owner))}


async def test_users_come_change_and_go(people: People) -> None:
    ada = a_user("ada", admin=True)
    await people.users.add(ada)
    await people.users.add(a_user("bob"))
    assert await people.users.find("ada") == ada
    assert await people.users.find("eve") is None
    assert [one.name for one in await people.users.listing()] == ["ada", "bob"]
    with pytest.raises(ConflictError) as taken:
        await people.users.add(msgspec.structs.replace(a_user("ada"), id="other"))
    assert taken.value.code == "name-taken"
    changed = msgspec.structs.replace(a_user("bob"), title="Bobby", password="other", admin=True)
    await people.users.change(changed)
    assert await people.users.find("bob") == changed
    await people.users.remove("id-bob")
    assert await people.users.find("bob") is None
    for gone in (people.users.remove("id-bob"), people.users.change(changed)):
        with pytest.raises(NotFoundError):
            await gone


async def test_the_last_administrator_stays(people: People) -> None:
    for name in ("ada", "bob"):
        await people.users.add(a_user(name, admin=True))
    await people.users.add(a_user("eve"))
    await people.users.add(a_user("dan", admin=True, disabled=True))
    await people.users.change(a_user("bob", admin=False))
    wrong = [a_user("ada", admin=False), a_user("ada", admin=True, disabled=True)]
    for attempt in [people.users.remove("id-ada"), *map(people.users.change, wrong)]:
        with pytest.raises(ConflictError) as refused:
            await attempt
        assert refused.value.code == "last-admin"
    await people.users.change(a_user("ada", admin=True))
    await people.users.remove("id-dan")
    await people.users.remove("id-eve")
    assert await people.users.find("ada") == a_user("ada", admin=True)


async def test_two_administrators_cannot_leave_at_once(people: People) -> None:
    for round_ in range(5):
        who = [f"ada{round_}", f"bob{round_}"]
        for name in who:
            await people.users.add(a_user(name, admin=True))
        for one in await people.users.listing():
            if one.admin and one.name not in who:
                await people.users.change(msgspec.structs.replace(one, admin=False))
        done = await asyncio.gather(
            people.users.remove(f"id-{who[0]}"),
            people.users.change(a_user(who[1], admin=True, disabled=True)),
            return_exceptions=True,
        )
        assert sum(isinstance(one, ConflictError) for one in done) == 1
        assert sum(one is None for one in done) == 1


async def test_a_credential_is_found_by_its_digest(people: People) -> None:
    await people.users.add(a_user("ada"))
    token = a_credential("t", TOKEN, project="shop", role="viewer", rights=("exec", "logs"))
    await people.credentials.add(token)
    assert await people.credentials.find("digest-t") == (token, a_user("ada"))
    assert await people.credentials.find("digest-x") is None
    service = a_credential("s", SERVICE, owner="", project="shop")
    await people.credentials.add(service)
    assert await people.credentials.find("digest-s") == (service, None)
    assert await people.credentials.listing(CredentialQuery(project="shop")) == [service]
    assert await people.credentials.listing(CredentialQuery(owner="id-ada")) == [token]
    await people.credentials.touch("id-t", 50.0)
    await people.credentials.checked("id-ada", 60.0)
    found = await people.credentials.find("digest-t")
    assert found is not None
    assert found[0].used == 50.0
    assert found[1] is not None
    assert found[1].checked == 60.0
    assert await people.credentials.remove("id-t")
    assert not await people.credentials.remove("id-t")
    assert await people.credentials.prune(100.0) == 0
    assert await people.credentials.prune(101.0) == 1
    assert await people.credentials.find("digest-s") is None


async def test_credentials_die_with_their_user(people: People) -> None:
    """CVE-2021-36782 (Rancher): tokens outlived their user."""
    for name in ("ada", "bob"):
        await people.users.add(a_user(name))
    for name, kind, owner in (("s", SESSION, "ada"), ("t", TOKEN, "ada"), ("b", SESSION, "bob")):
        await people.credentials.add(a_credential(name, kind, owner=f"id-{owner}"))
    await people.users.change(a_user("ada", disabled=True))
    assert await names(people) == set()
    await people.users.change(a_user("ada"))
    assert await people.credentials.find("digest-s") is None
    await people.users.remove("id-bob")
    assert await people.credentials.find("digest-b") is None


async def test_a_name_that_comes_back_inherits_nothing(people: People) -> None:
    """CVE-2016-9639 (Salt): a minion id that was used again inherited its access."""
    await people.users.add(a_user("ada"))
    await people.projects.add(Project("shop"), [Member("shop", USER, "id-ada", "admin")])
    await people.users.add_key(SshKey("id-ada", "laptop", "ssh-ed25519 AAAA", "SHA256:x"))
    await people.credentials.add(a_credential("t", TOKEN))
    await people.users.remove("id-ada")
    again = msgspec.structs.replace(a_user("ada"), id="id-other")
    await people.users.add(again)
    assert await people.projects.of_user("id-other") == []
    assert await people.projects.members("shop") == []
    assert await people.users.keys("id-other") == []
    assert await people.credentials.listing(CredentialQuery(owner="id-other")) == []


async def test_members_and_their_groups(people: People) -> None:
    for name in ("ada", "bob"):
        await people.users.add(a_user(name))
    await people.groups.add(Group("id-devs", "devs", created=3.0))
    await people.groups.join("id-devs", "id-ada")
    await people.groups.join("id-devs", "id-ada")
    await people.projects.add(Project("shop", "The shop", 4.0, "ada"))
    own = Member("shop", USER, "id-ada", "viewer", ("exec",), ("logs",), 5.0)
    await people.projects.admit(own)
    await people.projects.admit(Member("shop", GROUP, "id-devs", "operator", (), (), 6.0))
    assert [(one.kind, one.name, one.role) for one in await people.projects.members("shop")] == [
        ("user", "ada", "viewer"),
        ("group", "devs", "operator"),
    ]
    mine = await people.projects.of_user("id-ada")
    assert sorted((one.role, one.granted, one.denied) for one in mine) == [
        ("operator", (), ()),
        ("viewer", ("exec",), ("logs",)),
    ]
    assert await people.projects.of_user("id-bob") == []
    await people.projects.admit(msgspec.structs.replace(own, role="admin", granted=(), denied=()))
    assert [one.role for one in await people.projects.members("shop")] == ["admin", "operator"]
    assert await people.groups.find("devs") == Group("id-devs", "devs", "local", 3.0, ("ada",))
    assert await people.groups.listing() == [Group("id-devs", "devs", "local", 3.0, ("ada",))]
    assert await people.groups.of_user("id-ada") == ["devs"]


async def test_leaving_a_project_ends_what_came_of_it(people: People) -> None:
    await people.users.add(a_user("ada"))
    for project in ("shop", "lab"):
        await people.projects.add(Project(project), [Member(project, USER, "id-ada", "viewer")])
    for name, kind, project in (
        ("login", SESSION, ""),
        ("shop", TOKEN, "shop"),
        ("lab", TOKEN, "lab"),
        ("all", TOKEN, ""),
    ):
        await people.credentials.add(a_credential(name, kind, project=project))
    assert await people.projects.dismiss(Member("shop", USER, "id-ada", ""))
    assert await names(people) == {"lab", "all"}
    assert not await people.projects.dismiss(Member("shop", USER, "id-ada", ""))


async def test_leaving_one_of_two_ways_into_a_project(people: People) -> None:
    await people.users.add(a_user("ada"))
    await people.groups.add(Group("id-devs", "devs"))
    await people.groups.join("id-devs", "id-ada")
    both = [Member("shop", USER, "id-ada", "viewer"), Member("shop", GROUP, "id-devs", "admin")]
    await people.projects.add(Project("shop"), both)
    await people.credentials.add(a_credential("login"))
    await people.credentials.add(a_credential("token", TOKEN, project="shop"))
    assert await people.groups.leave("id-devs", "id-ada")
    assert await names(people) == {"token"}, "the project is still theirs, by themselves"
    assert not await people.groups.leave("id-devs", "id-ada")
    await people.groups.join("id-devs", "id-ada")
    await people.projects.dismiss(both[0])
    assert await names(people) == {"token"}, "and now by their group"
    await people.groups.remove("id-devs")
    assert await names(people) == set()
    assert await people.groups.find("devs") is None
    assert await people.projects.members("shop") == []


async def test_groups_as_a_directory_has_them(people: People) -> None:
    await people.users.add(a_user("ada", source=LDAP))
    await people.groups.add(Group("id-own", "own"))
    await people.groups.add(Group("id-shared", "shared"))
    await people.groups.join("id-own", "id-ada")
    wanted = [Group("id-devs", "devs", LDAP), Group("id-x", "shared", LDAP)]
    await people.groups.settle("id-ada", wanted)
    assert await people.groups.of_user("id-ada") == ["devs", "own"], "a group of ours is not theirs to fill"
    await people.credentials.add(a_credential("login"))
    await people.groups.settle("id-ada", wanted)
    assert await names(people) == {"login"}, "nothing changed"
    await people.groups.settle("id-ada", [])
    assert await people.groups.of_user("id-ada") == ["own"]
    assert await names(people) == set()


async def test_a_project_with_stacks_stays(people: People, store: Any) -> None:
    await people.projects.add(Project("shop"))
    await people.credentials.add(a_credential("ci", SERVICE, owner="", project="shop"))
    stack = msgspec.structs.replace(a_stack(), project="shop")
    await store.save_generation(stack, a_generation(), 0)
    with pytest.raises(ConflictError) as refused:
        await people.projects.remove("shop")
    assert refused.value.code == "project-in-use"
    assert len(await people.credentials.listing(CredentialQuery(project="shop"))) == 1
    await people.projects.add(Project("lab"))
    await people.credentials.add(a_credential("lab", SERVICE, owner="", project="lab"))
    await people.projects.remove("lab")
    assert await people.credentials.listing(CredentialQuery(project="lab")) == []
    with pytest.raises(NotFoundError):
        await people.projects.remove("lab")
    with pytest.raises(ConflictError):
        await people.projects.add(Project("shop"))


async def test_titles_keys_and_reach(people: People) -> None:
    await people.projects.add(Project("shop"))
    await people.projects.change(Project("shop", "The shop"))
    assert await people.projects.find("shop") == Project("shop", "The shop")
    assert await people.projects.listing() == [Project("shop", "The shop")]
    reach = [Reach("shop", "cloud", "eu"), Reach("shop", "local")]
    await people.projects.set_reach("shop", [*reach, reach[0]])
    assert await people.projects.reach("shop") == reach
    await people.projects.set_reach("shop", [])
    assert await people.projects.reach("shop") == []
    await people.users.add(a_user("ada"))
    key = SshKey("id-ada", "laptop", "ssh-ed25519 AAAA", "SHA256:x", 1.0)
    await people.users.add_key(key)
    with pytest.raises(ConflictError):
        await people.users.add_key(key)
    assert await people.users.keys("id-ada") == [key]
    assert await people.users.remove_key("id-ada", "laptop")
    assert not await people.users.remove_key("id-ada", "laptop")


async def test_sessions_end_alone(people: People) -> None:
    await people.users.add(a_user("ada"))
    for name, kind in (("one", SESSION), ("two", SESSION), ("token", TOKEN)):
        await people.credentials.add(a_credential(name, kind))
    assert await people.credentials.end_sessions("id-ada") == 2
    assert await names(people) == {"token"}
