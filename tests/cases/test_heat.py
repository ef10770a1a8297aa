"""Templates as people write them for Heat, covering the types that a template most often names: all are read
without a mistake, and what we write ourselves is laid out as `terrace template fmt` would.

NAME_env.yaml beside NAME.yaml is its environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from terrace.languages import check_source, needed_files
from terrace.languages.editor.layout import layout
from terrace.model.problem import render
from terrace.model.stack import Source

FOLDER = Path(__file__).parent / "heat"
TEMPLATES = sorted(file for file in FOLDER.glob("*.yaml") if not file.stem.endswith("_env"))
OPEN = {"missing-parameter", "ignored-property", "ignored-attribute"}
"""What may be said of them."""
REFUSED = {"volumes": {"not-supported"}, "site": {"unsupported-type"}}
"""What else is said, of templates that ask for what there is not: a volume from an image, a stack in another region."""


def source_of(file: Path) -> Source:
    names = [file.name, *(one.name for one in FOLDER.glob(f"{file.stem}_env.yaml"))]
    environments, files = tuple(names[1:]), dict[str, str]()
    while names:
        name = names.pop()
        files[name] = (FOLDER / name).read_text()
        names += [one for one in needed_files(files[name], name) if one not in files]
    return Source(file.name, files, environments)


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.stem)
def test_it_is_read_without_a_mistake(file: Path) -> None:
    fine = OPEN | REFUSED.get(file.stem, set())
    found = [problem for problem in check_source(source_of(file)) if problem.code not in fine]
    assert not found, "\n\n".join(map(render, found))


@pytest.mark.parametrize("file", sorted(FOLDER.rglob("*.yaml")), ids=lambda file: file.stem)
def test_it_is_laid_out(file: Path) -> None:
    assert layout(file.read_text(), file.name) == file.read_text()
