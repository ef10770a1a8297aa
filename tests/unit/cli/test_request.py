"""What `up` and `plan` send: names, parameters, and every file that a template names."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrace.cli import template
from terrace.cli.faults import Stop
from terrace.cli.verbs.request import parameter, read_parameters, request_of, seconds, stack_name


def test_names_of_stacks() -> None:
    assert stack_name(None, "lib/shop.v2.yaml", "") == "shop.v2"
    assert stack_name("a", "shop.yaml", "b") == "a"
    assert stack_name(None, "shop.yaml", "b") == "b"
    for given_name, file in (("a/b", "x"), ("a;b", "x"), (None, "9.yaml"), (None, "-"), ("a\n", "x")):
        with pytest.raises(Stop):
            stack_name(given_name, file, "")


def test_lengths_of_time() -> None:
    assert [seconds(text) for text in ("90", "90s", "1.5m", "2h", "1d")] == [90, 90, 90, 7200, 86400]
    for text in ("", "0", "-1", "1w", "m", "1e9"):
        with pytest.raises(Stop, match="is not a length of time"):
            seconds(text)


def test_parameters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "secret"
    file.write_text("sesame\n\n")
    monkeypatch.setattr("sys.stdin", io.StringIO("from stdin\r\n"))
    assert parameter("a=b=c") == ("a", "b=c")
    assert parameter("a=") == ("a", "")
    assert parameter(f"a=@{file}") == ("a", "sesame\n")
    assert parameter("a=@@x") == ("a", "@x")
    assert parameter("a=-") == ("a", "from stdin")
    for text in ("a", "=b", f"a=@{tmp_path}/none"):
        with pytest.raises(Stop):
            parameter(text)


def test_parameter_files(tmp_path: Path) -> None:
    for text in ('{"n": 3, "list": [1]}', "n: 3\nlist: [1]\n"):
        (tmp_path / "p").write_text(text)
        assert read_parameters(str(tmp_path / "p")) == {"n": 3, "list": [1]}
    for text in ("[1]", "{", "1: x"):
        (tmp_path / "p").write_text(text)
        with pytest.raises(Stop):
            read_parameters(str(tmp_path / "p"))


def test_flags_beat_the_parameter_file(tmp_path: Path) -> None:
    (tmp_path / "p").write_text("a: 1\nb: 2\n")
    (tmp_path / "t.yaml").write_text("heat_template_version: 2021-04-16\n")
    request = request_of(str(tmp_path / "t.yaml"), (), ("b=3",), str(tmp_path / "p"))
    assert request["parameters"] == {"a": 1, "b": "3"}


def test_standard_input_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Stop, match="only once"):
        request_of("-", (), ("a=-",), None)


def test_every_file_that_is_named_goes_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    head = "heat_template_version: 2021-04-16\nresources:\n"
    (tmp_path / "site" / "lib").mkdir(parents=True)
    (tmp_path / "site" / "shop.yaml").write_text(head + "  a:\n    type: lib/db.yaml\n")
    (tmp_path / "site" / "lib" / "db.yaml").write_text(
        head + "  b:\n    type: OS::Heat::Value\n    properties:\n      value: {get_file: conf.txt}\n"
    )
    (tmp_path / "site" / "lib" / "conf.txt").write_text("a file that says get_file: none.txt")
    (tmp_path / "env.yaml").write_text("resource_registry:\n  My::Type: my.yaml\n")
    (tmp_path / "my.yaml").write_text("heat_template_version: 2021-04-16\n")
    found = template.collect("site/shop.yaml", ["env.yaml"])
    assert found.template == "site/shop.yaml"
    assert found.environments == ("env.yaml",)
    expected = {"site/shop.yaml", "env.yaml", "site/lib/db.yaml", "site/lib/conf.txt", "my.yaml"}
    assert set(found.files) == expected


def test_a_file_that_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.yaml").write_text(
        "heat_template_version: 2021-04-16\nresources:\n  a:\n    type: OS::Heat::Value\n"
        "    properties: {value: {get_file: none.txt}}\n"
    )
    with pytest.raises(Stop, match=r'the file "none.txt", named in t.yaml cannot be read: No such file'):
        template.collect("t.yaml")
    assert set(template.collect("t.yaml", missing_ok=True).files) == {"t.yaml"}
    with pytest.raises(Stop, match=r'the environment "e.yaml" cannot be read'):
        template.collect("t.yaml", ["e.yaml"], missing_ok=True)


def test_a_template_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Stop, match="is not UTF-8 text"):
        template.collect(str(tmp_path / "t.yaml"))


def test_a_template_larger_than_can_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template, "LARGEST", 1024**2)
    (tmp_path / "t.yaml").write_text("x" * (1024**2 + 1))
    with pytest.raises(Stop, match="larger than 1 MiB"):
        template.collect(str(tmp_path / "t.yaml"))


@given(
    st.sampled_from(
        ["get_file", "type: a/b.yaml", '"type": "c.template"', "'type': 'd.json'", "resource_registry:"]
    )
)
def test_documents_that_name_files_are_always_parsed(text: str) -> None:
    asked: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("terrace.languages.needed_files", lambda text, name: asked.append(name) or [])
        template._needed("t.yaml", f"resources: {{a: {{{text}}}}}")
    assert asked == ["t.yaml"]


def test_documents_that_name_none_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("terrace.languages.needed_files", lambda *_: pytest.fail("parsed for nothing"))
    assert template._needed("t.yaml", "resources:\n  a:\n    type: OS::Heat::Value\n  # see x.yaml\n") == ()
