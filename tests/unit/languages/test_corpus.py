"""Real templates: those that use only what Terrace has so far compile, none is a stack trace."""

from __future__ import annotations

import os
from pathlib import Path

from terrace.kinds import TYPES
from terrace.languages import check_source, needed_files
from terrace.model.stack import Source

ROOT = Path(__file__).parents[3]
CORPUS = Path(os.environ.get("TERRACE_CORPUS", ROOT.parent / "shared" / "corpus"))
TEMPLATES = [file for file in sorted(CORPUS.rglob("*.yaml")) if "heat_template_version" in file.read_text()]

# What the next release brings: conditions, and attributes that no provider has yet.
LATER = {"hot/condition.yaml": {"not-supported-yet"}, "hot/server_console.yaml": {"unknown-attribute"}}
PRISTINE = "hot/software-config/example-templates/example-config-pristine-image"


def source_of(file: Path, *environments: Path) -> Source:
    names = [str(file), *map(str, environments)]
    files: dict[str, str] = {}
    while names:
        name = names.pop()
        if name not in files and Path(name).is_file():
            files[name] = Path(name).read_text()
            names += needed_files(files[name], name)
    return Source(str(file), files, tuple(map(str, environments)))


def mistakes(source: Source) -> set[str]:
    return {problem.code for problem in check_source(source, kinds=TYPES) if problem.severity == "error"}


def test_real_templates_are_read_without_a_mistake() -> None:
    found = {str(file.relative_to(CORPUS)): mistakes(source_of(file)) for file in TEMPLATES}
    assert {name: codes for name, codes in found.items() if codes - LATER.get(name, set())} == {}


def test_with_an_environment_that_names_a_type() -> None:
    files = [file for file in TEMPLATES if str(file).endswith(f"{PRISTINE}.yaml")]
    assert [mistakes(source_of(file, CORPUS / f"{PRISTINE}_env.yaml")) for file in files] == [
        set() for _ in files
    ]
