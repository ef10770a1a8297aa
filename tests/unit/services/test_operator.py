"""The operator's environments: read once, checked with file, line and column."""

from __future__ import annotations

from pathlib import Path

import pytest

from terrace.errors import DocumentError
from terrace.model.problem import Problem
from terrace.services.settings import Disk, Settings, Surroundings, parse, with_operator

DISK = Disk(
    lambda folder: [one.name for one in Path(folder).iterdir()],
    lambda path: Path(path).read_text(encoding="utf-8"),
)


def settings(folder: Path, text: str = "") -> Settings:
    file = folder / "server.toml"
    return parse(text, str(file), Surroundings({"HOME": str(folder)}, lambda path: Path(path).exists()))


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / "environment.d" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder / "environment.d"


def mistakes(given: Settings) -> list[Problem]:
    with pytest.raises(DocumentError) as raised:
        with_operator(given, DISK)
    return list(raised.value.problems)


def at(problem: Problem) -> tuple[str, int, int, str]:
    return (problem.file, problem.line, problem.column, problem.code)


def test_the_folder_beside_the_settings_is_read_in_order_with_all_that_is_named(tmp_path: Path) -> None:
    outer = "heat_template_version: 2018-08-31\nresources: {a: {type: ../more/inner.yaml}}\n"
    write(
        tmp_path,
        {
            "20-types.yaml": "resource_registry: {'Site::Web': lib/web.yaml}",
            "10-defaults": "parameter_defaults: {zone: north}",
            ".hidden": "not: read",
            "10-defaults~": "not: read",
            "lib/web.yaml": outer,
            "more/inner.yaml": "heat_template_version: 2018-08-31",
            "more/unused.yaml": "not: read",
        },
    )
    read = with_operator(settings(tmp_path), DISK).operator
    assert read.environments == ("operator:10-defaults", "operator:20-types.yaml")
    assert set(read.files) == {*read.environments, "operator:lib/web.yaml", "operator:more/inner.yaml"}


def test_the_folder_may_be_named_and_without_one_there_is_nothing(tmp_path: Path) -> None:
    assert settings(tmp_path).environment_d == ""
    assert settings(tmp_path, 'environment_d = "other"').environment_d == str(tmp_path / "other")
    assert with_operator(settings(tmp_path), DISK).operator.environments == ()
    (problem,) = mistakes(settings(tmp_path, '\nenvironment_d = "other"'))
    assert at(problem) == (str(tmp_path / "server.toml"), 2, 1, "invalid-settings")
    assert "No such file" in problem.message


def test_every_mistake_is_told_with_its_place(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        {
            "a.yaml": "parameters: {zone: north}\nresource_registry: {'S::A': gone.yaml, 'S::B': lib/b.yaml}\n",
            "b.yaml": "moved: {a: b}\nresource_registri: {}\n",
            "c.yaml": "parameter_defaults: [\n",
            "lib/b.yaml": "heat_template_version: 2018-08-31\nresources: {a: {type: 'S::Missing'}}\n",
        },
    )
    found = {at(problem) for problem in mistakes(settings(tmp_path))}
    assert found == {
        (str(folder / "a.yaml"), 1, 1, "misplaced-section"),
        (str(folder / "a.yaml"), 2, 29, "missing-file"),
        (str(folder / "b.yaml"), 1, 1, "misplaced-section"),
        (str(folder / "b.yaml"), 2, 1, "unknown-key"),
        (str(folder / "c.yaml"), 2, 1, "not-yaml"),
    }


def test_what_no_text_is_cannot_be_read(tmp_path: Path) -> None:
    folder = write(tmp_path, {"a.yaml": "resource_registry: {'S::A': a.template}"})
    (folder / "a.template").write_bytes(b"\xff\xfe\xfa")
    codes = {(problem.file, problem.code) for problem in mistakes(settings(tmp_path))}
    assert (str(folder / "a.template"), "file-unreadable") in codes
