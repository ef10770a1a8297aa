"""What `up` and `plan` send: files, environments, parameters."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from terrace.cli.faults import Stop

STACK_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_.-]{0,254}")
UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def scope_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options by which `up` and `plan` are told that a template is wanted in part."""
    target = click.option(
        "--target",
        "targets",
        multiple=True,
        metavar="PATH",
        help="change only this resource; may be given again. What it needs and is not there yet comes along",
    )
    exclude = click.option(
        "--exclude", "excludes", multiple=True, metavar="PATH", help="leave this resource as it is"
    )
    return target(exclude(function))


def template_options(function: Callable[..., Any], *, required: bool = True) -> Callable[..., Any]:
    """The options by which `up` and `plan` are told what is wanted. `required`: it cannot do without a template."""
    options = (
        click.argument("template", type=click.Path(dir_okay=False), required=required),
        click.option(
            "-s", "--stack", metavar="STACK", help="its name; by default that of the template's file"
        ),
        click.option(
            "-e",
            "--environment",
            "environments",
            multiple=True,
            metavar="FILE",
            help="an environment; later ones win",
        ),
        click.option(
            "-p",
            "--parameter",
            "parameters",
            multiple=True,
            metavar="NAME=VALUE",
            help="a parameter; NAME=@FILE reads a file, NAME=- standard input (for secrets)",
        ),
        click.option(
            "--parameters", "parameter_file", metavar="FILE", help="parameters from a YAML or JSON file"
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


def stack_name(given: str | None, template: str, default: str) -> str:
    """The stack's name: as given, else the project file's, else after the template's file. Stop when it
    cannot be one."""
    name = given or default or (Path(template).stem if template != "-" else "")
    if STACK_NAME.fullmatch(name):
        return name
    if not name:
        raise Stop(
            "a template from standard input has no name to call the stack by",
            hint="add -s STACK",
            code="usage",
        )
    raise Stop(
        f'"{name}" cannot be the name of a stack',
        code="invalid-name",
        hint="letters, digits, _ . and -, a letter first, 255 at most; name it with -s STACK",
    )


def request_of(
    template: str, environments: Sequence[str], parameters: Sequence[str], parameter_file: str | None
) -> dict[str, Any]:
    """The body of the PUT, with every file that the template names."""
    from terrace.cli.template import collect

    given = read_parameters(parameter_file) if parameter_file else {}
    readers = [name for name, _, value in (text.partition("=") for text in parameters) if value == "-"]
    if len(readers) + (template == "-") > 1:
        raise Stop("standard input can be read only once", code="usage", hint=f"use -p {readers[-1]}=@FILE")
    given.update(parameter(text) for text in parameters)
    source = collect(template, environments)
    return {
        "template": source.template,
        "files": source.files,
        "environments": list(source.environments),
        "parameters": given,
    }


def parameter(text: str) -> tuple[str, str]:
    """Name and value of NAME=VALUE. One line feed at the end of a file or of standard input is not part of
    the value; NAME=@@x is the text "@x"."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise Stop(f'"{text}" is not NAME=VALUE', code="usage", hint="for example -p replicas=3")
    if value == "-":
        return name, _without_line_feed(sys.stdin.read())
    if value.startswith("@@"):
        return name, value[1:]
    return name, _without_line_feed(_read(value[1:])) if value.startswith("@") else value


def read_parameters(file: str) -> dict[str, Any]:
    """The parameters in a YAML or JSON file."""
    text = _read(file)
    try:
        found = json.loads(text)
    except ValueError:
        import yaml

        try:
            found = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        except yaml.YAMLError as error:
            raise Stop(f"{file} is neither YAML nor JSON: {error}", code="invalid-document") from error
    if not isinstance(found, dict) or not all(isinstance(name, str) for name in found):
        raise Stop(
            f"{file} does not hold parameters",
            code="invalid-document",
            hint="write NAME: VALUE, one on each line",
        )
    return found


def seconds(text: str) -> float:
    """A length of time: 90, 90s, 30m, 2h, 1d."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text.strip())
    if match is None or float(match[1]) <= 0:
        raise Stop(f'"{text}" is not a length of time', code="usage", hint="for example 90s, 30m or 2h")
    return float(match[1]) * UNITS[match[2]]


def _without_line_feed(text: str) -> str:
    return text.removesuffix("\n").removesuffix("\r")


def _read(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise Stop(f"{file} cannot be read: {why}", code="file-unreadable") from error
