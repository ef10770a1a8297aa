"""Logging in, contexts, and who is sent where with which token."""

from __future__ import annotations

import io
import json
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from terrace.api.edge.tls import fingerprint_of, own_certificate
from tests.unit.cli.conftest import Ran
from tests.unit.cli.samples import STACKS, page
from tests.unit.client.fake_server import Answer, FakeServer, Request, problem

TOKEN = "trc_" + "a" * 43
LOGGED_IN = {"token": TOKEN, "name": "ada", "project": "sunny-harbor", "expires": 1767268800.0}
SUNNY = "/v1/projects/sunny-harbor/stacks"


def login(request: Request) -> Answer:
    if request.body == {"name": "ada", "password": "four words in a row"}:
        return Answer(LOGGED_IN)
    return problem(401, "wrong-credentials", "no")


class Team(FakeServer):
    """A server on TCP with TLS, as a team has one."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.certificate, key = own_certificate(str(folder), "127.0.0.1")
        routes: dict[str, Any] = {
            "GET /v1/version": {"version": "0.1.0", "installation": "x", "pid": 1},
            "GET /v1/me": {"name": "robot", "owner": False, "rights": {}},
            "POST /v1/login": login,
            "POST /v1/logout": Answer(None, 204),
            f"GET {STACKS}": page(),
            f"GET {SUNNY}": page(),
        }
        super().__init__(folder, routes, (self.certificate, key))
        self.fingerprint = fingerprint_of(self.certificate)


@pytest.fixture
def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: FakeServer) -> Iterator[Team]:
    """The server, and an environment that names none."""
    for name in ("SERVER", "CONTEXT", "TOKEN_FILE", "FINGERPRINT", "CA_FILE"):
        monkeypatch.delenv(f"TERRACE_{name}", raising=False)
    found = Team(tmp_path / "team")
    yield found
    found.close()


@pytest.fixture
def type_in(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """What stands on standard input; `terminal`: it is typed there."""

    def given(text: str, *, terminal: bool = False) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))
        for stream in (sys.stdin, sys.stderr):
            monkeypatch.setattr(stream, "isatty", lambda: terminal, raising=False)

    return given


def enter(terrace: Callable[..., Ran], team: Team, type_in: Callable[..., None], *words: str) -> Ran:
    type_in("four words in a row\n")
    pinned = ("--fingerprint", team.fingerprint)
    return terrace("login", team.address, "--user", "ada", "--password-file", "-", *pinned, *words)


def config(tmp_path: Path) -> Path:
    return tmp_path / "config" / "terrace" / "config.toml"


def test_who_logs_in_is_there_from_then_on(terrace, team, type_in, tmp_path: Path) -> None:
    ran = enter(terrace, team, type_in)
    assert ran.code == 0, ran.err
    assert ran.out.startswith(f"logged in at {team.address} as ada, project sunny-harbor, until 2026-01-01")
    kept = [config(tmp_path), config(tmp_path).parent / "tokens" / "127.0.0.1"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in kept} == {0o600}
    assert TOKEN not in config(tmp_path).read_text()

    assert terrace("list").code == 0
    asked = team.requests[-1]
    assert (asked.path, asked.headers["authorization"]) == (SUNNY, f"Bearer {TOKEN}")
    assert terrace("list", "--project", "default").code == 0
    assert team.requests[-1].path == STACKS


def test_a_certificate_that_nothing_trusts_is_for_a_person_to_judge(terrace, team, type_in, tmp_path) -> None:
    (tmp_path / "pw").write_text("four words in a row")
    words = ("login", team.address, "--user", "ada", "--password-file", str(tmp_path / "pw"))
    type_in("")
    ran = terrace(*words)
    assert (ran.code, team.fingerprint in ran.err, "--fingerprint" in ran.err) == (1, True, True)
    type_in("n\n", terminal=True)
    ran = terrace(*words)
    assert (ran.code, "nothing was changed" in ran.err) == (130, True)
    assert not config(tmp_path).exists()
    assert not team.asked("POST")
    type_in("yes\n", terminal=True)
    assert terrace(*words).code == 0
    assert f'fingerprint = "{team.fingerprint}"' in config(tmp_path).read_text()
    assert terrace("list").code == 0


def test_another_certificate_than_the_one_that_is_trusted(terrace, team, type_in, tmp_path) -> None:
    assert enter(terrace, team, type_in).code == 0
    (tmp_path / "thief").mkdir()
    team._server.show(*own_certificate(str(tmp_path / "thief"), "127.0.0.1"))
    before = len(team.requests)
    ran = terrace("list")
    assert (ran.code, "another certificate" in ran.err) == (1, True)
    type_in("yes\n", terminal=True)
    ran = terrace("login")
    assert (ran.code, "another certificate" in ran.err) == (1, True)
    assert len(team.requests) == before


def test_a_certificate_of_an_authority(terrace, team, type_in) -> None:
    type_in("four words in a row\n")
    words = ("--user", "ada", "--password-file", "-", "--ca-file", team.certificate)
    assert terrace("login", team.address, *words).code == 0
    assert terrace("list").code == 0


def test_a_wrong_password_changes_nothing(terrace, team, type_in, tmp_path) -> None:
    type_in("wrong\n")
    pinned = ("--fingerprint", team.fingerprint)
    ran = terrace("login", team.address, "--user", "ada", "--password-file", "-", *pinned)
    assert ran.code == 5
    assert not config(tmp_path).exists()


def test_a_token_that_one_was_given(terrace, team, tmp_path) -> None:
    file = tmp_path / "token"
    file.write_text("trc_given\n")
    file.chmod(0o644)
    words = ("login", team.address, "--fingerprint", team.fingerprint, "--token-file", str(file))
    ran = terrace(*words)
    assert (ran.code, "chmod 600" in ran.err) == (1, True)
    file.chmod(0o600)
    assert terrace(*words, "--name", "ci").code == 0
    assert terrace("list").code == 0
    assert team.requests[-1].headers["authorization"] == "Bearer trc_given"


def test_a_token_goes_to_its_own_server_alone(terrace, team, server, type_in, monkeypatch, tmp_path) -> None:
    server.routes[f"GET {STACKS}"] = page()
    assert enter(terrace, team, type_in).code == 0
    assert terrace("--server", f"unix://{server.address}", "list").code == 0
    assert "authorization" not in server.requests[-1].headers
    monkeypatch.setenv("TERRACE_SERVER", f"unix://{server.address}")
    assert terrace("list").code == 0
    assert "authorization" not in server.requests[-1].headers
    assert terrace("--context", "127.0.0.1", "list").code == 0
    assert team.requests[-1].headers["authorization"] == f"Bearer {TOKEN}"
    file = tmp_path / "other"
    file.write_text("trc_other")
    file.chmod(0o600)
    ran = terrace("--server", "http://192.0.2.1:80", "--token-file", str(file), "list")
    assert (ran.code, "others could read it" in ran.err) == (1, True)


def test_contexts_are_listed_used_and_forgotten(terrace, team, type_in, tmp_path) -> None:
    config(tmp_path).parent.mkdir(parents=True)
    config(tmp_path).write_text('# mine\noutput = "text"\n\n[contexts.old]\nserver = "https://old.example"\n')
    assert enter(terrace, team, type_in, "--name", "work").code == 0
    rows = json.loads(terrace("context", "list", "-o", "json").out)
    assert [(row["name"], row["used"], row["logged_in"]) for row in rows] == [
        ("local", False, True),
        ("old", False, False),
        ("work", True, True),
    ]
    assert "work" in terrace("context", "list").out
    assert terrace("context", "use", "old").code == 0
    assert terrace("context", "remove", "old").code == 0
    text = config(tmp_path).read_text()
    assert text.startswith('context = "local"\n# mine\noutput = "text"\n')
    assert "old" not in text
    assert terrace("context", "use", "work").code == 0
    assert terrace("context", "remove", "work").code == 0
    assert not (config(tmp_path).parent / "tokens" / "work").exists()
    ran = terrace("context", "use", "work")
    assert (ran.code, "there is no context" in ran.err) == (1, True)
    assert terrace("context", "remove", "local").code == 1


def test_logging_out_ends_the_session_here_and_there(terrace, team, type_in, tmp_path) -> None:
    assert enter(terrace, team, type_in).code == 0
    ran = terrace("logout")
    assert (ran.code, "logged out" in ran.err) == (0, True)
    assert team.requests[-1].path == "/v1/logout"
    assert team.requests[-1].headers["authorization"] == f"Bearer {TOKEN}"
    assert "not logged in" in terrace("logout").err
    assert terrace("list").code == 0
    assert "authorization" not in team.requests[-1].headers
    assert enter(terrace, team, type_in).code == 0
    team.routes["POST /v1/logout"] = problem(401, "unauthenticated", "it has expired")
    assert terrace("logout").code == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("login",), "at which server?"),
        (("login", "unix:///run/x.sock"), "need not log in"),
        (("login", "http://192.0.2.1:80"), "a password is not sent"),
        (("login", "https://h:1", "--name", "local"), "cannot be the name of a context"),
        (("login", "https://h:1", "--fingerprint", "abc"), "is no fingerprint"),
        (("logout",), "needs no login"),
        (("--context", "nowhere", "list"), 'there is no context "nowhere"'),
    ],
)
def test_what_cannot_be(terrace, team, words: tuple[str, ...], says: str) -> None:
    ran = terrace(*words)
    assert (ran.code, says in ran.err) == (1, True), ran.err


def test_a_config_that_is_wrong(terrace, team, tmp_path) -> None:
    config(tmp_path).parent.mkdir(parents=True)
    for text, says in (
        ('contexts = "x"', "must hold tables"),
        ("[contexts.a]\n", 'lacks "server"'),
        ('[contexts.a]\nserver = "https://x"\ntoken = "t"\n', '"token" is not known'),
        ("serve = 1\n", '"serve" is not known'),
        ("not toml", "is not TOML"),
    ):
        config(tmp_path).write_text(text)
        ran = terrace("list")
        assert (ran.code, says in ran.err) == (1, True), ran.err
