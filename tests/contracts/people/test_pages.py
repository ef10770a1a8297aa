"""People and credentials, a page at a time."""

from __future__ import annotations

from typing import Any

import pytest

from terrace.ports.people import (
    LDAP,
    LOCAL,
    SERVICE,
    SESSION,
    TOKEN,
    CredentialQuery,
    People,
    User,
    UserQuery,
)
from terrace.stores.relational.people import RelationalPeople
from tests.contracts.people.test_people import a_credential, a_user


@pytest.fixture
def people(store: Any) -> People:
    return RelationalPeople(store.database)


async def test_users_come_in_pages_by_name(people: People) -> None:
    names = ("bob", "ada", "adam", "eve", "a_a")
    for name in names:
        source = LDAP if name in ("eve", "adam") else LOCAL
        await people.users.add(User(f"id-{name}", name, source=source))

    async def page(**wanted: Any) -> list[str]:
        return [one.name for one in await people.users.listing(UserQuery(**wanted))]

    assert await page() == sorted(names)
    assert await page(limit=2) == ["a_a", "ada"]
    assert await page(limit=2, after="ada") == ["adam", "bob"]
    assert await page(name="ad") == ["ada", "adam"]
    assert await page(name="ad", after="ada", limit=1) == ["adam"]
    assert await page(source=LDAP) == ["adam", "eve"]
    assert await page(source=LOCAL, name="e") == await page(name="a%") == await page(after="eve") == []


async def test_credentials_come_in_pages_oldest_first(people: People) -> None:
    await people.users.add(a_user("ada"))
    for number, (name, kind) in enumerate((("b", TOKEN), ("a", SESSION), ("bb", TOKEN), ("c", TOKEN))):
        await people.credentials.add(a_credential(name, kind, created=float(number // 2)))
    for name in ("x", "y"):
        await people.credentials.add(a_credential(name, SERVICE, owner="", project="shop"))

    async def page(**wanted: Any) -> list[str]:
        query = CredentialQuery(**{"owner": "id-ada", **wanted})
        return [one.name for one in await people.credentials.listing(query)]

    assert await page() == ["a", "b", "bb", "c"]
    assert await page(limit=3) == ["a", "b", "bb"]
    assert await page(after=(0.0, "id-b")) == ["bb", "c"]
    assert await page(kind=TOKEN) == ["b", "bb", "c"]
    assert await page(kind=TOKEN, name="b", after=(0.0, "id-b")) == ["bb"]
    assert await page(name="b_") == await page(owner="id-eve") == []
    assert await page(owner="", project="shop") == ["x", "y"]
    assert await page(owner="", project="shop", kind=TOKEN) == await page(owner="", project="lab") == []
    assert await people.credentials.get("id-x") == a_credential("x", SERVICE, owner="", project="shop")
    assert await people.credentials.get("id-none") is None
