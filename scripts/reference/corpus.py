"""corpus.toml: what becomes of each real template of the corpus on Docker, worked out by compiling it.

The corpus is not part of the project. Where it lies (TERRACE_CORPUS, by default ../shared/corpus) the table is made
anew; elsewhere it stays as it is, and heat.md is written from it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from scripts.reference.providers import docker
from scripts.reference.text import ROOT

NOTE = "# Written by `make docs` from the templates of the corpus. What people add stands in heat.toml.\n"
FOLDER = Path(os.environ.get("TERRACE_CORPUS", ROOT.parent / "shared" / "corpus")).resolve()


class Row(NamedTuple):
    """One template. `environment`: the one it was read with; `against`: why it does not run on Docker; `without`:
    what of it has no effect there; `becomes`: properties that are mapped to something else; `lacks`: files that the
    corpus does not hold."""

    template: str
    environment: str
    against: list[str]
    without: list[str]
    becomes: list[str]
    lacks: list[str]


def corpus() -> str:
    """The table; "" where there is no corpus."""
    documents = sorted(FOLDER.rglob("*.yaml"))
    templates = [file for file in documents if "heat_template_version" in file.read_text()]
    if not templates:
        return ""
    environments = [file for file in documents if file not in templates]
    return NOTE + "".join(f"\n{_written(_row(file, environments))}" for file in templates)


def _written(row: Row) -> str:
    lines = [
        f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in row._asdict().items() if value
    ]
    return "\n".join(["[[templates]]", *lines, ""])


def _row(file: Path, environments: Iterable[Path]) -> Row:
    from terrace.languages import check_source

    fitting = [one for one in environments if _defines(one, file)]
    environment = min(fitting, key=lambda one: _missing(_source(file, one)), default=None)
    source = _source(file, *filter(None, [environment]))
    problems = check_source(source)
    named = {one.code: _quoted(p for p in problems if p.code == one.code) for one in problems}
    against = (
        [f"no provider offers {', '.join(named['unsupported-type'])}"] if "unsupported-type" in named else []
    )
    refused = ("not-supported", "unsupported-attribute")
    against += dict.fromkeys(p.message for p in problems if p.severity == "error" or p.code in refused)
    without = [one.message for one in problems if one.code == "ignored-property"]
    notes = list(_notes(source)) if not [one for one in problems if one.severity == "error"] else []
    return Row(
        file.relative_to(FOLDER).as_posix(),
        environment.relative_to(FOLDER).as_posix() if environment is not None else "",
        [*against, *dict.fromkeys(words for verdict, words in notes if verdict == "refused because")],
        _effects([*without, *(words for verdict, words in notes if verdict == "ignored because")]),
        list(dict.fromkeys(words for verdict, words in notes if verdict == "maps to")),
        sorted({Path(name).name for name in named.get("missing-file", ())}),
    )


def _missing(source: Any) -> int:
    """How many files a template and its environment name that the corpus does not hold."""
    from terrace.languages import check_source

    return sum(problem.code == "missing-file" for problem in check_source(source))


def _defines(environment: Path, template: Path) -> bool:
    """Whether an environment says what a type stands for that the template uses."""
    names = re.findall(r'^ +"?([A-Za-z]\w*::[\w:]+)"?: +\S', environment.read_text(), re.MULTILINE)
    text = template.read_text()
    return any(f"type: {name}" in text for name in names)


def _source(file: Path, *environments: Path) -> Any:
    from terrace.languages import needed_files
    from terrace.model.stack import Source

    asked = [one.relative_to(FOLDER).as_posix() for one in (file, *environments)]
    names, files = list(asked), dict[str, str]()
    while names:
        name = names.pop()
        if name not in files and (FOLDER / name).is_file():
            files[name] = (FOLDER / name).read_text()
            names += needed_files(files[name], name)
    return Source(asked[0], files, tuple(asked[1:]))


def _quoted(problems: Iterable[Any]) -> list[str]:
    """What the messages put in quotes, each once."""
    return list(
        dict.fromkeys(found[1] for one in problems if (found := re.search(r'"([^"]+)"', one.message)))
    )


def _effects(messages: Iterable[str]) -> list[str]:
    """Properties without effect, those of the same reason together."""
    reasons: dict[str, dict[str, None]] = {}
    for message in messages:
        found = re.search(r'property "([^"]+)" has no effect: (.*)', message)
        name, why = found.groups() if found else ("", message)
        reasons.setdefault(why, {})[name] = None
    return [f"{', '.join(filter(None, names))}: {why}".removeprefix(": ") for why, names in reasons.items()]


def _notes(source: Any) -> Iterator[tuple[str, str]]:
    """What Docker makes of each resource that is not just what it says."""
    from terrace.kinds import KINDS, TYPES
    from terrace.languages import LANGUAGES, Setting

    language = next(iter(LANGUAGES.values()))
    graph = language.compile(source, TYPES, Setting(stack="stack", lenient=True)).graph
    offered = docker()
    for node in _written_nodes(graph):
        kind = KINDS[node.kind]
        notes = kind.notes(node, offered)
        if not notes and not kind.provider and not kind.composite and node.kind not in offered.kinds:
            yield "refused because", f"Docker has no {node.kind}"
        for note in notes:
            if note.what or note.verdict != "maps to":
                yield str(note.verdict), f"{note.what}: {note.words}".removeprefix(": ")


def _written_nodes(graph: Any) -> Iterator[Any]:
    """All resources of which the kind is known, those of nested templates and of groups too."""
    import msgspec

    from terrace.kinds import KINDS

    for node in (
        *graph.nodes,
        *(inner for blueprint in graph.blueprints.values() for inner in blueprint.nodes),
    ):
        if node.kind in KINDS:
            yield node
        member = node.properties.get("resource_def")
        if isinstance(member, dict) and member.get("kind") in KINDS:
            properties = member.get("properties")
            properties = properties if isinstance(properties, dict) else {}
            yield msgspec.structs.replace(node, kind=member["kind"], properties=properties)
