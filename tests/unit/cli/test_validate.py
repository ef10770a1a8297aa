"""`terrace validate`: every mistake in one go, as text or as a list, and the exit code."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

RIGHT = "heat_template_version: 2018-08-31\nresources:\n  a: {type: Terrace::Value, properties: {value: 1}}\n"
WRONG = "heat_template_version: 2018-08-31\nresources:\n  a: {type: Terrace::Valu}\n"
WARNED = """\
heat_template_version: 2018-08-31
parameters:
  size: {type: number}
resources:
  a: {type: OS::Barbican::Secret}
  b: {type: gone.yaml}
  c: {type: Terrace::Value, properties: {value: {get_file: gone.sh}}}
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with templates that are right, wrong, and in between."""
    for name, text in (("right.yaml", RIGHT), ("wrong.yaml", WRONG), ("warned.yaml", WARNED)):
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_template_that_is_right(terrace, files) -> None:
    ran = terrace("validate", "right.yaml")
    assert (ran.code, ran.out, ran.err) == (0, "right.yaml: valid\n", "")
    assert terrace("validate", "right.yaml", "-o", "json").out == "[]\n"


def test_a_mistake_with_its_place(terrace, files) -> None:
    ran = terrace("validate", "wrong.yaml")
    assert ran.code == 1
    assert ran.out == "wrong.yaml: not valid, 1 mistake\n"
    assert "--> wrong.yaml:3:13" in ran.err
    assert 'did you mean "Terrace::Value"?' in ran.err


def test_json_is_a_flat_list(terrace, files) -> None:
    ran = terrace("validate", "wrong.yaml", "-o", "json")
    assert ran.code == 1
    assert ran.err == ""
    assert json.loads(ran.out) == [
        {
            "file": "wrong.yaml",
            "line": 3,
            "column": 13,
            "code": "unknown-type",
            "severity": "error",
            "message": 'there is no type "Terrace::Valu"',
            "hint": 'did you mean "Terrace::Value"?',
        }
    ]


def test_what_only_up_needs_is_a_warning(terrace, files) -> None:
    ran = terrace("validate", "warned.yaml", "-o", "json")
    assert ran.code == 0
    found = {(one["line"], one["column"], one["code"], one["severity"]) for one in json.loads(ran.out)}
    assert found == {
        (3, 3, "missing-parameter", "warning"),
        (5, 13, "unsupported-type", "warning"),
        (6, 13, "missing-file", "warning"),
        (7, 60, "missing-file", "warning"),
    }
    assert terrace("validate", "warned.yaml").out == "warned.yaml: valid, 4 warnings\n"


def test_strict_makes_warnings_errors(terrace, files) -> None:
    ran = terrace("validate", "--strict", "warned.yaml", "-o", "json")
    assert ran.code == 1
    assert {one["severity"] for one in json.loads(ran.out)} == {"error"}
    assert terrace("validate", "--strict", "right.yaml").code == 0


def test_several_files_at_once_each_has_its_line(terrace, files) -> None:
    ran = terrace("validate", "right.yaml", "wrong.yaml", "warned.yaml", "gone.yaml")
    assert ran.code == 1
    assert ran.out == (
        "right.yaml: valid\n"
        "wrong.yaml: not valid, 1 mistake\n"
        "warned.yaml: valid, 4 warnings\n"
        "gone.yaml: not valid, 1 mistake\n"
    )
    assert 'the template "gone.yaml" cannot be read: No such file or directory' in ran.err
    assert terrace("validate", "right.yaml", "warned.yaml").code == 0


def test_a_mistake_in_a_file_that_two_templates_use_is_told_once(terrace, files) -> None:
    for name in ("one.yaml", "two.yaml"):
        (files / name).write_text("heat_template_version: 2018-08-31\nresources:\n  a: {type: wrong.yaml}\n")
    found = json.loads(terrace("validate", "one.yaml", "two.yaml", "-o", "json").out)
    assert [(one["file"], one["line"], one["column"]) for one in found] == [("wrong.yaml", 3, 13)]


def test_mistakes_in_environments_and_in_what_they_name(terrace, files) -> None:
    (files / "env").mkdir()
    (files / "env" / "e.yaml").write_text("parametres: {}\nresource_registry:\n  My::Thing: part.yaml\n")
    (files / "env" / "part.yaml").write_text(WRONG)
    (files / "t.yaml").write_text("heat_template_version: 2018-08-31\nresources:\n  a: {type: My::Thing}\n")
    found = json.loads(terrace("validate", "t.yaml", "-e", "env/e.yaml", "-o", "json").out)
    assert {(one["file"], one["line"], one["column"], one["code"]) for one in found} == {
        ("env/e.yaml", 1, 1, "unknown-key"),
        ("env/part.yaml", 3, 13, "unknown-type"),
    }


def test_an_environment_alone(terrace, files) -> None:
    (files / "good.yaml").write_text(
        "parameters: {size: 3}\nparameter_defaults: {x: 1}\nresource_registry: {'My::Thing': right.yaml}\n"
    )
    (files / "bad.yaml").write_text(
        "resource_registry:\n  My::Thing: wrong.yaml\n  My::Other: Terrace::Valu\nparametres: {}\n"
    )
    assert terrace("validate", "good.yaml").out == "good.yaml: valid\n"
    found = json.loads(terrace("validate", "bad.yaml", "-o", "json").out)
    assert {(one["file"], one["line"], one["column"], one["code"]) for one in found} == {
        ("bad.yaml", 3, 14, "unknown-type"),
        ("bad.yaml", 4, 1, "unknown-key"),
        ("wrong.yaml", 3, 13, "unknown-type"),
    }


def test_an_environment_that_is_not_there(terrace, files) -> None:
    ran = terrace("validate", "right.yaml", "-e", "none.yaml", "-o", "json")
    assert ran.code == 1
    assert [(one["file"], one["code"]) for one in json.loads(ran.out)] == [("none.yaml", "file-unreadable")]


def test_a_file_that_is_no_text_does_not_hide_other_mistakes(terrace, files) -> None:
    (files / "logo.png").write_bytes(b"\x89PNG\xff")
    (files / "t.yaml").write_text(
        WRONG + "  b: {type: Terrace::Value, properties: {value: {get_file: logo.png}}}\n"
    )
    codes = [one["code"] for one in json.loads(terrace("validate", "t.yaml", "-o", "json").out)]
    assert "file-unreadable" in codes
    assert "unknown-type" in codes


def test_parameters_are_checked(terrace, files) -> None:
    (files / "t.yaml").write_text(
        "heat_template_version: 2018-08-31\nparameters:\n"
        "  size: {type: number, constraints: [{range: {max: 9}}]}\n"
    )
    assert terrace("validate", "t.yaml", "--strict", "-p", "size=9").code == 0
    found = json.loads(terrace("validate", "t.yaml", "-p", "size=10", "-p", "sise=1", "-o", "json").out)
    assert {(one["line"], one["code"]) for one in found} == {
        (3, "broken-constraint"),
        (0, "unknown-parameter"),
    }


def test_standard_input(terrace, files, monkeypatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(WRONG))
    ran = terrace("validate", "-")
    assert ran.code == 1
    assert "--> template.yaml:3:13" in ran.err


def test_a_hidden_default_is_not_shown(terrace, files) -> None:
    (files / "t.yaml").write_text(
        "heat_template_version: 2018-08-31\nparameters:\n"
        "  pw: {type: string, hidden: true, default: hunter2222, constraints: [{length: {max: 3}}]}\n"
    )
    for words in ((), ("-o", "json")):
        ran = terrace("validate", "t.yaml", *words)
        assert ran.code == 1
        assert "hunter2222" not in ran.out + ran.err


def test_no_server_is_asked(terrace, server, files) -> None:
    terrace("validate", "right.yaml")
    assert server.requests == []


def test_no_file_is_a_usage_error(terrace) -> None:
    ran = terrace("validate")
    assert ran.code == 1
    assert "help: terrace validate --help" in ran.err
