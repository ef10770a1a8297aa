"""`terrace template`: what templates can say, and how they are laid out. All of it without a server."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from terrace.cli.commands import Group, output_option, pass_session
from terrace.cli.faults import DONE, ERROR, Stop, report
from terrace.cli.session import Session
from terrace.cli.shape import clean, emit, plural, table
from terrace.errors import TerraceError

if TYPE_CHECKING:
    from terrace.languages.editor.types import TypeHelp


@click.group("template", cls=Group)
def template() -> None:
    """What templates can say, and how they are laid out: all on this machine, without a server."""


@template.command(
    "functions", epilog="  terrace template functions\n  terrace template functions -o json | jq '.[].name'"
)
@output_option()
@pass_session
def functions(session: Session) -> None:
    """List the functions: since which version of the language (and until which), where each may stand, and what it
    gives."""
    from terrace.languages.editor.functions import describe_functions

    found = describe_functions()
    emit(
        session,
        _plain(found),
        lambda: table(
            ([one.name, one.since, one.until, ", ".join(one.where), one.description] for one in found),
            ["FUNCTION", "SINCE", "UNTIL", "WHERE", "WHAT IT GIVES"],
            session.color(sys.stdout),
        ),
        lambda: (one.name for one in found),
    )


def _names_of_types(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    from terrace.languages.editor.types import type_names

    return [name for name in type_names() if name.lower().startswith(incomplete.lower())]


@template.command(
    "types",
    epilog="""\
  terrace template types
  terrace template types OS::Nova::Server
  terrace template types OS::Nova::Server -o json""",
)
@click.argument("type_name", metavar="[TYPE]", required=False, shell_complete=_names_of_types)
@output_option()
@pass_session
def types(session: Session, type_name: str | None) -> None:
    """List the types of resources, or tell of one: its kind, properties and attributes, and what it ignores or
    refuses and why."""
    from terrace.languages.editor.types import describe_type, describe_types

    if type_name is not None:
        one = describe_type(type_name)
        emit(session, _plain(one), lambda: _type_text(one, session.color(sys.stdout)), lambda: [one.type])
        return
    found = describe_types()
    emit(
        session,
        _plain(found),
        lambda: table(
            ([one.type, one.kind, one.description] for one in found),
            ["TYPE", "KIND", "WHAT IT IS"],
            session.color(sys.stdout),
        ),
        lambda: (one.type for one in found),
    )


def _type_text(one: TypeHelp, color: bool) -> str:
    """A type as people read it."""
    blocks = [f"{one.type}  ({one.kind})\n{one.description}"]
    rows = [[each.name, each.type, _default(each), _words(each)] for each in one.properties]
    if rows:
        blocks.append(table(rows, ["PROPERTY", "TYPE", "DEFAULT", ""], color))
    if one.open:
        blocks.append("It takes any properties.")
    if one.attributes:
        given = ([each.name, each.description] for each in one.attributes)
        blocks.append(table(given, ["ATTRIBUTE", ""], color))
    if one.any_attribute:
        blocks.append("Other attributes are those of its members, or any.")
    return "\n\n".join(blocks)


def _default(one: Any) -> str:
    if one.required:
        return "required"
    return "" if one.default in (None, "") else json.dumps(one.default, ensure_ascii=False)


def _words(one: Any) -> str:
    if one.why:
        return f"{'refused' if one.effect == 'refused' else 'no effect'}: {one.why}"
    values = f"one of {', '.join(map(str, one.allowed))}" if one.allowed else ""
    return " ".join(filter(None, (one.description, values)))


@template.command(
    "schema",
    epilog="""\
  terrace template schema > hot.schema.json
  terrace template schema --environment > environment.schema.json

In a template, for editors that read YAML with a schema:

  # yaml-language-server: $schema=hot.schema.json""",
)
@click.option("--environment", is_flag=True, help="the schema of environments instead")
@pass_session
def schema(session: Session, environment: bool) -> None:
    """Print a JSON Schema of templates, with which editors complete names and mark mistakes."""
    from terrace.languages.editor.schema import environment_schema, template_schema

    found = environment_schema() if environment else template_schema()
    print(json.dumps(found, ensure_ascii=False, indent=2))


@template.command(
    "fmt",
    epilog="""\
  terrace template fmt shop.yaml
  terrace template fmt --check templates/*.yaml
  terrace template fmt - < shop.yaml""",
)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(dir_okay=False))
@click.option("--check", is_flag=True, help="write nothing; exit code 1 if a file would change")
@pass_session
def fmt(session: Session, files: tuple[str, ...], check: bool) -> int:
    """Lay out templates and environments in one way: sections in their order, two spaces a level, a blank line
    between sections and between resources. Comments stay, and what a file says never changes. "-" reads
    standard input and writes to standard output."""
    changed, faults = [], []
    for name in files:
        try:
            if _format(name, check):
                changed.append(name)
        except TerraceError as error:
            faults.append(error)
    for name in changed:
        print(clean(f"{'would change' if check else 'changed'}: {name}"), file=sys.stderr)
    for fault in faults:
        report(fault, session)
    if not changed and not faults:
        print(f"{plural(len(files), 'file')} laid out already", file=sys.stderr)
    return ERROR if faults or (check and changed) else DONE


def _format(name: str, check: bool) -> bool:
    """Lays out one file; whether that changes it."""
    from terrace.languages.editor.layout import layout

    text = sys.stdin.read() if name == "-" else _read(name)
    result = layout(text, name)
    if not check and name == "-":
        sys.stdout.write(result)
    elif not check and result != text:
        _write(name, result)
    return result != text


def _read(name: str) -> str:
    try:
        with open(name, encoding="utf-8", newline="") as file:
            return file.read()
    except UnicodeDecodeError as error:
        raise Stop(f'"{name}" is not UTF-8 text', code="file-unreadable") from error
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise Stop(f'"{name}" cannot be read: {why}', code="file-unreadable") from error


def _write(name: str, text: str) -> None:
    """Replaces a file as a whole, so that it is never half written; its permissions stay."""
    path = Path(name).resolve()
    try:
        handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                file.write(text)
            os.chmod(beside, path.stat().st_mode & 0o7777)
            os.replace(beside, path)
        except BaseException:
            os.unlink(beside)
            raise
    except OSError as error:
        raise Stop(f'"{name}" cannot be written: {error.strerror}', code="file-unwritable") from error


def _plain(found: Any) -> Any:
    import msgspec

    return msgspec.to_builtins(found)
