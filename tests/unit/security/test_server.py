"""A team on one server, as a process: over TLS with tokens, beside its owner's socket; and what it weighs."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from terrace.api.edge.tls import fingerprint_of
from terrace.client import ApiError, Client
from terrace.client.access.trust import Trust
from tests.unit.served import REQUEST, Server, free_port

SIM = '[providers.local]\ndriver = "sim"\n'
PASSWORD = "four words in a row"


def refused(call: Callable[[], Any]) -> tuple[int, str]:
    with pytest.raises(ApiError) as found:
        call()
    return found.value.status, found.value.code


def test_a_team_on_one_server(server: Callable[..., Server]) -> None:
    port = free_port()
    one = server(f'{SIM}[server]\nlisten = "127.0.0.1:{port}"\n').start()
    trust = Trust(fingerprint_of(str(one.state / "tls.crt")))

    def at(token: str = "", project: str = "shop") -> Client:
        return Client(f"https://127.0.0.1:{port}", trust=trust, token=token, project=project)

    owner = one.client.people
    for name in ("ada", "bob"):
        owner.users.add(name, password=PASSWORD)
    for name, who in (("shop", "ada"), ("lab", "bob")):
        owner.projects.add(name)
        owner.projects.seat(name, "user", who, {"role": "developer"})
    assert refused(at().people.me.get) == (401, "unauthenticated")
    assert refused(lambda: at().people.me.login("ada", "wrong words in a row")) == (401, "wrong-credentials")
    ada = at(at().people.me.login("ada", PASSWORD)["token"])
    bob = at(at().people.me.login("bob", PASSWORD)["token"])
    assert ada.people.me.get()["rights"] == {"shop": ["logs", "read", "write"]}
    ada.stacks.apply("web", REQUEST, wait=20)
    assert [stack["name"] for stack in ada.stacks.listing()] == ["web"]
    assert refused(lambda: bob.stacks.get("web")) == (404, "not-found")
    assert refused(lambda: bob.stacks.apply("web", REQUEST)) == (404, "not-found")
    made = ada.people.tokens.create({"name": "look", "project": "shop", "role": "viewer"})["token"]
    assert at(made).stacks.get("web")["phase"] == "settled"
    assert refused(lambda: at(made).stacks.delete("web")) == (403, "forbidden")
    assert one.end() == 0
    one.start()
    assert at(made).stacks.get("web")["name"] == "web", "a token outlives a restart"
    one.client.people.users.change("ada", disabled=True)
    assert refused(lambda: at(made).stacks.get("web")) == (401, "unauthenticated")
    assert one.client.people.audit.verify()["whole"] is True
    rows = list(one.client.people.audit.listing())
    assert {row["outcome"] for row in rows} == {"allowed", "denied"}
    assert ("bob", "read", "denied") in {(row["actor"], row["right"], row["outcome"]) for row in rows}
    assert one.end() == 0
    for secret in (PASSWORD, made):
        for file in one.state.rglob("*"):
            assert not file.is_file() or secret.encode() not in file.read_bytes(), file
    with sqlite3.connect(one.state / "terrace.db") as database:
        database.execute("UPDATE audit SET actor = 'ada' WHERE actor = 'bob'")
    one.start()
    assert one.client.people.audit.verify()["whole"] is False


def test_an_idle_server_has_not_met_anybody(server: Callable[..., Server]) -> None:
    """What hashes passwords and asks directories is loaded when somebody first logs in."""
    ldap = '[ldap]\nurl = "ldaps://127.0.0.1:1"\nusers = "ou=people,dc=x"\n'
    one = server(SIM + ldap).start()
    assert one.process is not None
    loaded = Path(f"/proc/{one.process.pid}/maps").read_text()
    assert "argon2" not in loaded
    status = Path(f"/proc/{one.process.pid}/status").read_text()
    resident = int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])
    assert resident < 100 * 1024, f"{resident} KiB"
    assert one.end() == 0
