"""Which files a document needs sent along."""

from __future__ import annotations

import pytest

from terrace.cli.template import collect
from terrace.languages import needed_files

HEAD = "heat_template_version: 2018-08-31\n"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (HEAD + "resources: {a: {type: part.yaml}}", ["lib/part.yaml"]),
        (HEAD + "outputs: {o: {value: {get_file: ../a.sh}}}", ["a.sh"]),
        (HEAD + "resources: {a: {type: G, properties: {resource_def: {type: m.yaml}}}}", ["lib/m.yaml"]),
        (HEAD + "resources: {a: {type: C, properties: {resources: [X, one.yaml, two.yaml]}}}",
         ["lib/one.yaml", "lib/two.yaml"]),
        ("resource_registry: {'My::T': t.yaml, resources: {web: {'My::T': /w.yaml}}}", ["lib/t.yaml", "/w.yaml"]),
        (HEAD + "resources: {a: {type: http://example.com/x.yaml}}", []),
        (HEAD + "resources: {a: {type: 'OS::Heat::Stack', properties: {template: own.yaml}}}", ["lib/own.yaml"]),
        (HEAD + "resources: {a: {type: 'OS::Heat::Stack', properties: {template: 'a: b.yaml'}}}", []),
        (HEAD + "resources: {a: {type: X, properties: {type: {}, properties: {template: x.yaml}}}}", []),
        ("a: [", []),
    ],
)  # fmt: skip
def test_needed_files(text: str, names: list[str]) -> None:
    assert needed_files(text, "lib/t.yaml") == names


@pytest.mark.parametrize(
    "text",
    [
        "resources:\n  a:\n    properties:\n      resources:\n        - one.yaml\n        - X\n",
        "resources: {a: {properties: {resources: [X, one.yaml]}}}\n",
        "resources: {a: {type: 'one.yaml'}}\n",
        "resources: {a: {type: 'OS::Heat::Stack', properties: {template: one.yaml}}}\n",
        "resource_registry: {'My::T': one.yaml}\n",
    ],
)
def test_they_are_collected_from_the_disk(text: str, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.yaml").write_text(HEAD + text)
    (tmp_path / "one.yaml").write_text(HEAD)
    assert set(collect("t.yaml").files) == {"t.yaml", "one.yaml"}
