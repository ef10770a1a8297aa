"""Errors as words and exit codes; settings from flags, environment and files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from terrace.cli.root import main
from tests.unit.cli.samples import SHOP, STACKS, page, stack
from tests.unit.client.fake_server import problem


def test_help_without_a_command(terrace) -> None:
    for words in ([], ["--help"], ["help"], ["--no-color", "--help"]):
        ran = terrace(*words)
        assert ran.code == 0
        assert "terrace COMMAND" in ran.out
        assert "130  interrupted" in ran.out


def test_a_mistyped_command(terrace) -> None:
    ran = terrace("sttus")
    assert ran.code == 1
    assert (
        ran.err
        == 'error: There is no command "terrace sttus". Did you mean "status"?\n  help: terrace --help\n'
    )


def test_a_wrong_option_is_an_error_and_not_changes_pending(terrace) -> None:
    ran = terrace("plan", "--bogus", "x.yaml")
    assert ran.code == 1
    assert "--bogus" in ran.err
    assert "help: terrace plan --help" in ran.err


@pytest.mark.parametrize(
    ("status", "code", "exit_code"),
    [
        (404, "not-found", 1),
        (409, "conflict", 4),
        (412, "generation-mismatch", 4),
        (409, "not-supported", 1),
        (403, "forbidden", 5),
        (401, "unauthenticated", 5),
        (500, "internal-error", 1),
    ],
)
def test_refusals_have_documented_exit_codes(terrace, routes, status: int, code: str, exit_code: int) -> None:
    routes[f"GET {SHOP}"] = problem(status, code, "no", hint="do this")
    ran = terrace("status", "shop")
    assert (ran.code, ran.out, ran.err) == (exit_code, "", "error: no\n  help: do this\n")


def test_errors_are_json_when_json_was_asked_for(terrace, routes) -> None:
    routes[f"GET {SHOP}"] = problem(404, "not-found", "no such stack", hint="terrace list")
    ran = terrace("status", "shop", "-o", "json")
    assert ran.code == 1
    assert json.loads(ran.err) == {
        "code": "not-found",
        "message": "no such stack",
        "hint": "terrace list",
        "problems": [],
    }


def test_usage_errors_are_json_too(terrace) -> None:
    ran = terrace("up", "-o", "json")
    assert json.loads(ran.err)["code"] == "usage"


def test_text_of_a_server_cannot_steer_the_terminal(terrace, routes) -> None:
    routes[f"GET {SHOP}"] = problem(404, "not-found", "no\x1b]0;title\x07 \u202estack")
    assert "\x1b" not in terrace("status", "shop").err


def test_an_unreachable_server(terrace, server, monkeypatch) -> None:
    monkeypatch.setenv("TERRACE_SERVER", "unix:///nowhere/at.sock")
    ran = terrace("list")
    assert ran.code == 1
    assert "does not answer" in ran.err
    assert "help: terrace doctor" in ran.err


def test_a_bug_of_ours_is_one_line_and_a_file(terrace, routes, tmp_path: Path) -> None:
    (tmp_path / "state" / "terrace").mkdir(parents=True)
    routes[f"GET {STACKS}"] = {"unexpected": True}
    ran = terrace("list")
    log = tmp_path / "state" / "terrace" / "cli-error.log"
    assert ran.code == 1
    assert ran.err == f"internal error: KeyError: 'items' (the trace is in {log})\n"
    assert "Traceback" in log.read_text()
    assert log.stat().st_mode & 0o077 == 0
    assert "Traceback" in terrace("list", "--debug").err


def test_flags_beat_environment_beats_project_file_beats_user_file(
    terrace, server, monkeypatch, tmp_path: Path
) -> None:
    def asked(*words: str) -> str:
        terrace(*words, "list")
        return server.requests[-1].path

    for name in "abcd":
        server.routes[f"GET /v1/projects/{name}/stacks"] = page()
    (tmp_path / "config" / "terrace").mkdir(parents=True)
    (tmp_path / "config" / "terrace" / "config.toml").write_text('project = "a"\n')
    assert asked() == "/v1/projects/a/stacks"
    (tmp_path / ".terrace.toml").write_text('project = "b"\n')
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    assert asked() == "/v1/projects/b/stacks"
    monkeypatch.setenv("TERRACE_PROJECT", "c")
    assert asked() == "/v1/projects/c/stacks"
    assert asked("--project", "d") == "/v1/projects/d/stacks"


def test_a_project_file_cannot_send_you_to_another_server(terrace, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TERRACE_SERVER")
    (tmp_path / ".terrace.toml").write_text('server = "http://evil:80"\n')
    ran = terrace("list")
    assert ran.code == 1
    assert '"server" is not known' in ran.err


def test_a_project_file_names_the_stack(terrace, routes, tmp_path: Path) -> None:
    (tmp_path / ".terrace.toml").write_text('stack = "shop"\n')
    routes[f"GET {SHOP}"] = stack()
    routes[f"GET {SHOP}/resources"] = page()
    assert terrace("status").out.startswith("shop  settled")


def test_whoever_reads_us_may_leave(terrace, routes, monkeypatch) -> None:
    def gone(*_: object) -> None:
        raise BrokenPipeError

    routes[f"GET {STACKS}"] = page(stack())
    monkeypatch.setattr("terrace.cli.verbs.status.emit", gone)
    monkeypatch.setattr("os.dup2", lambda *_: None)
    assert main(["list"]) == 0
