"""Real templates, as their authors wrote them: all of them are read without a mistake, with each environment
that fits. What no provider offers yet is one line with its place."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from terrace.kinds import TYPES
from terrace.languages import check_source, needed_files
from terrace.model.problem import Problem
from terrace.model.stack import Source
from tests.corpus import CORPUS, require

DOCUMENTS = sorted(CORPUS.rglob("*.yaml"))
TEMPLATES = [file for file in DOCUMENTS if "heat_template_version" in file.read_text()]
ENVIRONMENTS = [file for file in DOCUMENTS if file not in TEMPLATES]
OPEN = {
    *("unsupported-type", "unsupported-attribute", "not-supported", "missing-file", "missing-parameter"),
    *("ignored-property", "ignored-attribute"),
}
"""What may be said of a template that is right."""


def source_of(file: Path, *environments: Path) -> Source:
    """A template with its environments and all that they name, called as they are below the corpus."""
    asked = [name_of(one) for one in (file, *environments)]
    names, files = list(asked), dict[str, str]()
    while names:
        name = names.pop()
        if name not in files and (CORPUS / name).is_file():
            files[name] = (CORPUS / name).read_text()
            names += needed_files(files[name], name)
    return Source(asked[0], files, tuple(asked[1:]))


def name_of(file: Path) -> str:
    """A file's name below the corpus."""
    return file.relative_to(CORPUS).as_posix()


@cache
def fitting(file: Path) -> tuple[Path, ...]:
    """The environments that define a type which the template uses."""
    text = file.read_text()
    defined = {
        one: re.findall(r'^ +"?([\w:]+)"?: +\S', one.read_text(), re.MULTILINE) for one in ENVIRONMENTS
    }
    return tuple(
        one
        for one, names in defined.items()
        if any("::" in name and f"type: {name}" in text for name in names)
    )


PAIRS = [(file, environment) for file in TEMPLATES for environment in fitting(file)]


def mistakes(problems: tuple[Problem, ...]) -> list[Problem]:
    return [problem for problem in problems if problem.severity == "error"]


def test_the_corpus_is_there() -> None:
    require()
    ours = [file for file in TEMPLATES if name_of(file).startswith("hot/")]
    assert len(ours) >= 44, f"templates are missing in {CORPUS}; TERRACE_CORPUS may name another folder"
    assert len(ENVIRONMENTS) >= 11
    assert len(PAIRS) >= 8


@pytest.mark.parametrize("file", TEMPLATES, ids=name_of)
def test_a_real_template_is_read_without_a_mistake(file: Path) -> None:
    problems = check_source(source_of(file))
    assert mistakes(problems) == []
    assert {problem.code for problem in problems} <= OPEN


@pytest.mark.parametrize(
    ("file", "environment"), PAIRS, ids=[f"{name_of(one)} -e {two.stem}" for one, two in PAIRS]
)
def test_a_real_template_with_its_environment(file: Path, environment: Path) -> None:
    assert mistakes(check_source(source_of(file, environment))) == []


@pytest.mark.parametrize("file", ENVIRONMENTS, ids=name_of)
def test_a_real_environment_alone(file: Path) -> None:
    problems = check_source(source_of(file))
    assert mistakes(problems) == []
    assert {problem.code for problem in problems} <= OPEN


@pytest.mark.parametrize("file", TEMPLATES, ids=name_of)
def test_a_type_that_no_provider_offers_is_one_line_with_its_place(file: Path) -> None:
    source = source_of(file)
    found = [one for one in check_source(source) if one.code == "unsupported-type"]
    for problem in found:
        line = source.files[problem.file].splitlines()[problem.line - 1]
        name = re.search(r'there is no type "([^"]+)"', problem.message)
        assert name is not None
        assert line[problem.column - 1 :].strip("\"' ").startswith(name[1])
        assert "\n" not in problem.message
    assert len({(one.file, one.line, one.column) for one in found}) == len(found)
    named = set(re.findall(r"type: +[\"']?([A-Za-z]+(?:::[A-Za-z0-9]+)+)", source.files[source.template]))
    unknown = {name for name in named if name not in TYPES}
    assert len(found) >= len(unknown)
