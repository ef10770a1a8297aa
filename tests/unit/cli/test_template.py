"""`terrace template`: what templates can say, and how they are laid out."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest

from terrace.kinds import TYPES
from terrace.languages import check_source
from terrace.languages.hot.functions.table import FUNCTIONS
from terrace.model.stack import Source

LOOSE = """\
# what this is
heat_template_version: 2018-08-31
outputs:
    o: {value: 1}
resources:

    a:
        type: Terrace::Value
        properties: {value: 1}
    # of b
    b: {type: OS::Heat::None}
"""
NEAT = """\
# what this is
heat_template_version: 2018-08-31

resources:
  a:
    type: Terrace::Value
    properties: {value: 1}

  # of b
  b: {type: OS::Heat::None}

outputs:
  o: {value: 1}
"""


def test_functions(terrace) -> None:
    found = json.loads(terrace("template", "functions", "-o", "json").out)
    assert set(found[0]) >= {"name", "since", "until", "where", "description", "example"}
    assert {one["name"]: one["since"] for one in found} == {
        name: entry.since for name, entry in FUNCTIONS.items()
    }
    text = terrace("template", "functions").out
    assert text.startswith("FUNCTION")
    assert all(one["name"] in text for one in found)
    assert terrace("template", "functions", "-o", "name").out.split() == [one["name"] for one in found]


def test_types(terrace) -> None:
    found = json.loads(terrace("template", "types", "-o", "json").out)
    assert [one["type"] for one in found] == sorted(TYPES)
    assert "OS::Nova::Server" in terrace("template", "types").out
    assert terrace("template", "types", "-o", "name").out.split() == sorted(TYPES)


def test_one_type(terrace) -> None:
    found = json.loads(terrace("template", "types", "OS::Nova::Server", "-o", "json").out)
    by_name = {one["name"]: one for one in found["properties"]}
    assert found["kind"] == "Machine"
    assert by_name["flavor"]["required"]
    assert by_name["networks[].fixed_ip"]["type"] == "string"
    assert by_name["config_drive"] | {"why": ""} == {
        **by_name["config_drive"],
        "effect": "ignored",
        "why": "",
    }
    assert by_name["config_drive"]["why"]
    given = {one["name"]: one["description"] for one in found["attributes"]}
    assert "first_address" in given
    assert given["console_urls"].startswith("No value: ")
    text = terrace("template", "types", "OS::Nova::Server").out
    assert "no effect: it means something to an OpenStack cloud only" in text


def test_a_type_that_there_is_not(terrace) -> None:
    ran = terrace("template", "types", "OS::Nova::Sever")
    assert ran.code == 1
    assert 'there is no type "OS::Nova::Sever"' in ran.err
    assert "OS::Nova::Server" in ran.err


def test_schema(terrace) -> None:
    found = json.loads(terrace("template", "schema").out)
    assert found["required"] == ["heat_template_version"]
    assert set(json.loads(terrace("template", "schema", "--environment").out)["properties"]) >= {
        "parameters",
        "parameter_defaults",
        "resource_registry",
    }


def test_fmt_writes_and_says_so(terrace, tmp_path: Path) -> None:
    file = tmp_path / "t.yaml"
    file.write_text(LOOSE)
    file.chmod(0o640)
    ran = terrace("template", "fmt", "t.yaml")
    assert (ran.code, ran.out, ran.err) == (0, "", "changed: t.yaml\n")
    assert file.read_text() == NEAT
    assert file.stat().st_mode & 0o777 == 0o640
    assert terrace("template", "fmt", "t.yaml").err == "1 file laid out already\n"
    assert os.listdir(tmp_path).count("t.yaml") == 1
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".t.yaml")]


def test_fmt_check_writes_nothing(terrace, tmp_path: Path) -> None:
    (tmp_path / "loose.yaml").write_text(LOOSE)
    (tmp_path / "neat.yaml").write_text(NEAT)
    ran = terrace("template", "fmt", "--check", "loose.yaml", "neat.yaml")
    assert (ran.code, ran.err) == (1, "would change: loose.yaml\n")
    assert (tmp_path / "loose.yaml").read_text() == LOOSE
    assert terrace("template", "fmt", "--check", "neat.yaml").code == 0


def test_fmt_reads_standard_input(terrace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(LOOSE))
    assert terrace("template", "fmt", "-").out == NEAT


def test_fmt_of_what_cannot_be_read(terrace, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("a: b: c\n")
    (tmp_path / "loose.yaml").write_text(LOOSE)
    ran = terrace("template", "fmt", "bad.yaml", "gone.yaml", "loose.yaml")
    assert ran.code == 1
    assert "--> bad.yaml:1:5" in ran.err
    assert '"gone.yaml" cannot be read' in ran.err
    assert (tmp_path / "bad.yaml").read_text() == "a: b: c\n"
    assert (tmp_path / "loose.yaml").read_text() == NEAT


def test_a_file_that_cannot_be_written_stays(
    terrace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "t.yaml").write_text(LOOSE)
    monkeypatch.setattr("os.replace", full)
    ran = terrace("template", "fmt", "t.yaml")
    assert ran.code == 1
    assert "No space left on device" in ran.err
    assert (tmp_path / "t.yaml").read_text() == LOOSE
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".t.yaml")]


def test_no_server_is_asked(terrace, server, tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text(NEAT)
    for words in (["functions"], ["types"], ["schema"], ["fmt", "t.yaml"]):
        assert terrace("template", *words).code == 0
    assert server.requests == []


def test_types_are_completed() -> None:
    import click
    from click.shell_completion import ShellComplete

    from terrace.cli.commands import root
    from terrace.cli.session import Session

    with click.Context(root, obj=Session()):
        found = ShellComplete(root, {}, "terrace", "_TERRACE_COMPLETE").get_completions(
            ["template", "types"], "os::nova"
        )
    assert "OS::Nova::Server" in [one.value for one in found]


def test_examples_of_functions_are_right() -> None:
    """What `template functions` shows can be written like that: at most the names in it are not there."""
    from terrace.languages.editor.functions import EXAMPLES, describe_functions

    assert set(EXAMPLES) == set(FUNCTIONS)
    named = {
        "unknown-parameter",
        "unknown-resource",
        "unknown-condition",
        "missing-file",
        "missing-parameter",
    }
    for one in describe_functions():
        version = one.until or "2021-04-16"
        if "values" in one.where:
            text = f"heat_template_version: {version}\noutputs:\n  o: {{value: {one.example}}}\n"
        else:
            text = f"heat_template_version: {version}\nconditions:\n  o: {one.example}\n"
        outer = f"heat_template_version: {version}\nresources:\n  n: {{type: part.yaml}}\n"
        found = check_source(Source("t.yaml", {"t.yaml": outer, "part.yaml": text}))
        assert [problem.message for problem in found if problem.code not in named] == [], one.name
