"""The documents say what is so: the reference is written from the code, links lead somewhere, commands run."""

from __future__ import annotations

import importlib.util
import re
import textwrap
import tomllib
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import msgspec
import pytest

from tests.console import play
from tests.corpus import require

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
SOURCE = ROOT / "src" / "terrace"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
REFERENCE_PAGES = [
    f"{name}.md"
    for name in ["kinds", "heat", "settings", "errors", "cli", "lifecycle", "api", "rights", "metrics"]
]
REAL = {"first-stack.md"}
"""Pages whose commands need Docker: tests/real/test_readme.py runs those."""


@cache
def writer() -> ModuleType:
    """scripts/docs.py, which writes the reference."""
    spec = importlib.util.spec_from_file_location("terrace_docs", ROOT / "scripts" / "docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def words(name: str) -> Any:
    """A hand-written table of the reference."""
    return tomllib.loads((REFERENCE / f"{name}.toml").read_text(encoding="utf-8"))


def text(name: str) -> str:
    """A page of the reference."""
    return (REFERENCE / name).read_text(encoding="utf-8")


# -- the reference ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REFERENCE_PAGES)
def test_the_reference_is_up_to_date(name: str) -> None:
    assert text(name) == writer().PAGES[name](), "run make docs"


def test_every_page_of_the_writer_is_checked() -> None:
    assert set(writer().PAGES) == set(REFERENCE_PAGES)


def test_what_is_said_of_real_templates_is_up_to_date() -> None:
    from scripts.reference.corpus import corpus

    require()
    assert text("corpus.toml") == corpus(), "run make docs"


def test_every_real_template_and_every_type_has_a_row() -> None:
    from terrace.kinds import NATIVE, TYPES

    rows = tomllib.loads(text("corpus.toml"))["templates"]
    names = [row["template"] for row in rows]
    assert len(names) >= 44
    told = words("heat")
    assert {*told["runs"], *told["never"]} <= set(names), "heat.toml names a template that there is not"
    assert not [row["template"] for row in rows if row["template"] in told["runs"] and row.get("against")]
    page = text("heat.md")
    assert [name for name in names if f"| `{name}` |" not in page] == []
    assert [name for name in TYPES if not name.startswith(NATIVE) and f"| `{name}` |" not in page] == []


def test_every_kind_is_described() -> None:
    from terrace.kinds import SCHEMAS, TYPES

    page = text("kinds.md")
    silent = [
        f"{name}.{path}"
        for name, schema in SCHEMAS.items()
        for path, prop in schema.properties.items()
        if not prop.description
    ]
    assert not silent, "a property has a description"
    assert all(schema.description for schema in SCHEMAS.values())
    assert [name for name in SCHEMAS if f"## {name}\n" not in page] == []
    assert [name for name in TYPES if f"`{name}`" not in page] == []


def test_every_error_code_is_explained() -> None:
    from scripts.reference.codes import scan

    raised = set(scan(SOURCE))
    explained = {code for group in words("errors").values() for code in group}
    patterns = [re.escape(code).replace(r"\*", "[a-z-]+") for code in raised if "*" in code]
    raised = {code for code in raised if "*" not in code}
    assert raised - explained == set(), "explain it in docs/reference/errors.toml"
    assert explained - raised == set(), "nothing raises it any more"
    assert all(any(re.fullmatch(one, code) for code in explained) for one in patterns)
    assert all(line["means"] and line["do"] for group in words("errors").values() for line in group.values())


def test_a_code_is_found_wherever_it_stands(tmp_path: Path) -> None:
    from scripts.reference.codes import scan

    source = """
TABLE = {1: "from-a-table"}
class WeirdError(Exception):
    code = "of-a-class"
def tell(place, code, text=""): ...
def late(code="a-default"): ...
def work(it, other):
    tell(it, "by-place", "a message")
    late(code="by-name" if it else "or-else")
    late(code=TABLE[it])
    late(code=f"partly-{it}")
    code, text = "set-before", ""
    other.tell(it, code)
"""
    (tmp_path / "it.py").write_text(source, encoding="utf-8")
    wanted = "from-a-table of-a-class a-default by-place by-name or-else partly-* set-before"
    assert set(scan(tmp_path)) == set(wanted.split())


def test_every_setting_is_described() -> None:
    from terrace.cli.session import PROJECT_KEYS, USER_KEYS
    from terrace.drivers.docker.settings import DockerSettings, Registry, Tls
    from terrace.drivers.sim.settings import SimSettings
    from terrace.model.catalogue import Flavor
    from terrace.services.settings import (
        Access,
        Defaults,
        Ldap,
        Limits,
        ServerSettings,
        Settings,
        StoreSettings,
        Tuning,
    )

    tables = {
        "listener": ServerSettings,
        "store": StoreSettings,
        "defaults": Defaults,
        "limits": Limits,
        "tuning": Tuning,
        "people": Access,
        "ldap": Ldap,
        "flavor": Flavor,
        "docker": DockerSettings,
        "docker-tls": Tls,
        "docker-registry": Registry,
        "sim": SimSettings,
    }
    found = words("settings")
    for name, kind in tables.items():
        assert set(found[name]) == {field.name for field in msgspec.structs.fields(kind)}, name
    plain = {field.name for field in msgspec.structs.fields(Settings)} - {
        "file",
        "text",
        "operator",
        "providers",
        "server",
        *tables,
    }
    assert set(found["server"]) == plain
    assert set(found["client"]) == {*USER_KEYS, *PROJECT_KEYS}


def test_every_environment_variable_is_described() -> None:
    from terrace.cli.session import PROJECT_KEYS, USER_KEYS

    named = {f"TERRACE_{key.upper()}" for key in (*USER_KEYS, *PROJECT_KEYS)}
    for path in SOURCE.rglob("*.py"):
        named |= set(
            re.findall(r"""["'](TERRACE_[A-Z_]+|DOCKER_[A-Z_]+)["']""", path.read_text(encoding="utf-8"))
        )
    described = set(words("settings")["environment"])
    inner = {"DOCKER_SOCKET"}
    assert named - described - inner == set()
    assert {name for name in described if name.startswith("TERRACE_")} <= named


def test_every_state_is_described() -> None:
    from terrace.model.plan import Planned
    from terrace.model.record import TRANSITIONS, State
    from terrace.model.stack import Phase

    found = words("states")
    assert set(found["states"]) == set(State)
    assert set(found["phases"]) == set(Phase)
    assert set(found["planned"]) == set(Planned)
    roads = [tuple(State(name) for name in road.split(" -> ")) for road in found["roads"]]
    assert [road for road in roads if road[1] not in TRANSITIONS[road[0]]] == []
    assert {name for road in roads for name in road} >= set(State) - {State.UNDECIDED}


def test_every_command_is_described() -> None:
    from terrace.cli.commands import root

    page = text("cli.md")
    missing = []

    def walk(path: str, command: click.Command) -> None:
        context = click.Context(command, info_name=path)
        if f"## {path}\n" not in page:
            missing.append(path)
        missing.extend(
            f"{path} {option.opts[0]}"
            for option in command.params
            if isinstance(option, click.Option)
            and not option.hidden
            and not option.help
            and option.opts != ["--provider"]
        )
        if isinstance(command, click.Group):
            for name in command.list_commands(context):
                walk(f"{path} {name}", command.get_command(context, name) or root)

    for name in root.list_commands(click.Context(root)):
        walk(f"terrace {name}", root.get_command(click.Context(root), name) or root)
    assert missing == []


def test_every_path_of_the_api_is_listed() -> None:
    from scripts.reference.api import openapi

    page = text("api.md")
    assert [path for path in openapi()["paths"] if f"`{path}`" not in page] == []


# -- all pages -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "most"), [("README.md", 150), ("ARCHITECTURE.md", 300)])
def test_the_first_pages_are_short(name: str, most: int) -> None:
    assert len((ROOT / name).read_text(encoding="utf-8").splitlines()) <= most


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        file, _, anchor = target.partition("#")
        if file.startswith(("http://", "https://")):
            continue
        there = (page.parent / file).resolve() if file else page
        if not there.exists() or (anchor and there.suffix == ".md" and anchor not in _anchors(there)):
            broken.append(target)
    assert broken == []


def _anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^a-z0-9 _-]", "", head.lower()).replace(" ", "-") for head in heads}


def test_every_page_can_be_found() -> None:
    """From the README, by following links."""
    seen, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen or page.suffix != ".md" or not page.exists():
            continue
        seen.add(page)
        links = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
        waiting += [(page.parent / link).resolve() for link in links if "://" not in link]
    assert [page.relative_to(ROOT).as_posix() for page in PAGES if page not in seen] == []


def test_places_in_the_code_are_there() -> None:
    """`folder/file.py::name` in any page names a file (below src/terrace, or from the top) and something in it."""
    broken = []
    for page in PAGES:
        for file, name in re.findall(r"`([\w/.-]+\.py)(?:::(\w+))?", page.read_text(encoding="utf-8")):
            places = [ROOT / file, SOURCE / file, *(SOURCE.rglob(file) if "/" not in file else ())]
            found = next((place for place in places if place.is_file()), None)
            if found is None or (name and not re.search(rf"^\s*(?:(?:async )?def {name}\b|class {name}\b|{name}\b.*=)",
                                                        found.read_text(encoding="utf-8"), re.MULTILINE)):  # fmt: skip
                broken.append(f"{page.name}: {file}::{name}")
    assert broken == []


def test_every_invariant_names_its_proof() -> None:
    architecture = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    invariants = re.findall(r"^\*\*Invariant: .*?(?=\n\n)", architecture, re.MULTILINE | re.DOTALL)
    assert len(invariants) >= 12
    assert [one.splitlines()[0] for one in invariants if "`tests/" not in one] == []


def test_make_targets_that_pages_name_are_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = {(page.name, target) for page in PAGES for target in _targets(page.read_text(encoding="utf-8"))}
    assert {one for one in named if one[1] not in targets} == set()
    assert {"demo", "demo-down", "test"} <= {target for page, target in named if page == "README.md"}


def _targets(page: str) -> list[str]:
    return re.findall(r"(?:^|`)make ([a-z-]+)", page, re.MULTILINE)


def test_settings_in_pages_are_right() -> None:
    """Every toml block of a page is a server.toml that a server would take."""
    from terrace.main import build_drivers
    from terrace.runtime.system import SystemClock, SystemEntropy
    from terrace.services.settings import Surroundings, parse

    around = Surroundings({}, lambda path: False)
    blocks = [
        (page.name, textwrap.dedent(block))
        for page in PAGES
        for block in re.findall(
            r"^ *```toml\n(.*?)^ *```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
        )
    ]
    assert len(blocks) >= 4
    for name, block in blocks:
        assert build_drivers(parse(block, name, around), SystemClock(), SystemEntropy())


# -- commands --------------------------------------------------------------------------------------

PLAYED = [
    page for page in PAGES if "```console" in page.read_text(encoding="utf-8") and page.name not in REAL
]


@pytest.mark.parametrize("page", PLAYED, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_run_as_the_page_says(page: Path, tmp_path: Path) -> None:
    wrong = play(page, tmp_path)
    assert not wrong, "\n".join(wrong)


def test_terrace_commands_in_pages_parse() -> None:
    """Every `terrace ...` that a page names is a command that there is."""
    from terrace.cli.table import COMMANDS

    known = {*COMMANDS, "serve"}
    named = {
        (page.name, word)
        for page in PAGES
        for word in re.findall(
            r"(?:^\s*(?:\$ )?|`|sudo )terrace ([a-z]+)", page.read_text(encoding="utf-8"), re.MULTILINE
        )
    }
    assert {one for one in named if one[1] not in known} == set()
