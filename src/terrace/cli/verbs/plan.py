"""`terrace plan`: what would change, and why."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import click

from terrace.cli.commands import command, output_option, pass_session
from terrace.cli.faults import CHANGES, DONE, ERROR, Stop, render_problems
from terrace.cli.plans import changes, plan_text
from terrace.cli.session import Session
from terrace.cli.shape import emit
from terrace.cli.verbs.request import request_of, scope_options, stack_name, template_options

VERSION = 1
"""Of the files in which plans are kept."""


@command(
    "plan",
    epilog="""\
  terrace plan shop.yaml
  terrace plan shop.yaml -s staging -e staging.yaml -p replicas=3
  terrace plan shop.yaml -o json
  terrace plan shop.yaml --out shop.plan && terrace up --plan shop.plan""",
)
@template_options
@scope_options
@click.option("--out", metavar="FILE", help="keep the plan in a file, for: terrace up --plan FILE")
@output_option()
@pass_session
def plan(session: Session, /, template: str, stack: str | None, out: str | None, **options: Any) -> int:
    """Show what `up` would change, and why. Changes nothing. Exit code 0: nothing to do, 2: changes, 1: error,
    or something is refused."""
    name = stack_name(stack, template, session.stack)
    wanted = ("environments", "parameters", "parameter_file")
    request = request_of(template, **{key: options[key] for key in wanted})
    request |= {key: list(options[key]) for key in ("targets", "excludes") if options[key]}
    found = session.client().stacks.plan(name, request, seal=out is not None)
    sealed = found.pop("sealed", "")
    if found.get("warnings"):
        print(render_problems(found["warnings"], session.color(sys.stderr)), file=sys.stderr)
    if out is not None:
        _keep(out, {"terrace_plan": VERSION, "project": session.project, "sealed": sealed, "plan": found})
        session.say(f"kept in {out}. Apply exactly this: terrace up --plan {out}")
    emit(
        session,
        found,
        lambda: plan_text(found, session.color(sys.stdout)),
        lambda: (item["path"] for item in changes(found)),
    )
    if any(item["what"] == "refused" for item in found["items"]):
        return ERROR
    return CHANGES if found["changes"] else DONE


def _keep(file: str, document: dict[str, Any]) -> None:
    """Writes a plan where only its owner reads it. Stop when that cannot be."""
    try:
        with open(file, "w", encoding="utf-8", opener=lambda path, flags: os.open(path, flags, 0o600)) as out:
            json.dump(document, out, ensure_ascii=False, indent=1)
            out.write("\n")
    except OSError as error:
        raise Stop(f"{file} cannot be written: {error.strerror}", code="file-unwritable") from error


def kept_plan(file: str, project: str) -> tuple[str, dict[str, Any]]:
    """The stack's name and the request in a file that `terrace plan --out` wrote. Stop when it is none."""
    try:
        with open(file, encoding="utf-8") as opened:
            document = json.load(opened)
        name, sealed, version = document["plan"]["stack"], document["sealed"], document["terrace_plan"]
        own = document["project"]
    except OSError as error:
        raise Stop(f"{file} cannot be read: {error.strerror}", code="file-unreadable") from error
    except (ValueError, TypeError, KeyError) as error:
        hint = "terrace plan TEMPLATE --out FILE writes one"
        raise Stop(f"{file} is not a plan that was kept", code="invalid-plan", hint=hint) from error
    if version != VERSION:
        raise Stop(f"{file} is a plan of another version of Terrace", code="invalid-plan", hint="plan again")
    if own != project:
        raise Stop(
            f'the plan in {file} is of project "{own}"', code="invalid-plan", hint=f"add --project {own}"
        )
    return str(name), {"sealed": str(sealed)}
