"""How commands are made: looked up late in the table, with the options that all of them take."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from terrace import __version__
from terrace.cli.session import OUTPUTS, Session
from terrace.cli.table import COMMANDS, root_help

if TYPE_CHECKING:
    from terrace.client import Client

pass_session = click.make_pass_decorator(Session)


def _remember(context: click.Context, parameter: click.Parameter, given: Any) -> None:
    if given and parameter.name:
        context.ensure_object(Session).flags[parameter.name] = given


def _flag(*names: str, **settings: Any) -> click.Option:
    return click.Option(names, expose_value=False, is_eager=True, callback=_remember, **settings)


def everywhere() -> list[click.Parameter]:
    """The options that every command takes."""
    return [
        _flag("--server", metavar="ADDRESS", hidden=True),
        _flag("--project", metavar="NAME", hidden=True),
        _flag("--context", metavar="NAME", hidden=True),
        _flag("--token-file", metavar="FILE", hidden=True),
        _flag("--no-color", "no_color", is_flag=True, hidden=True),
        _flag("--debug", is_flag=True, hidden=True),
    ]


class Command(click.Command):
    """A command that also takes the options of all commands."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(everywhere())
        self.context_settings.setdefault("help_option_names", ["-h", "--help"])

    def format_epilog(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Examples, as they were written."""
        if self.epilog:
            formatter.write(f"\nExamples:\n{self.epilog}\n")


class Group(click.Group):
    """A noun with its verbs."""

    command_class = Command

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(everywhere())
        self.context_settings.setdefault("help_option_names", ["-h", "--help"])

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does; an unknown name is told with the nearest known one."""
        if self.get_command(context, args[0]) is None and not args[0].startswith("-"):
            near = get_close_matches(args[0], self.list_commands(context), n=1)
            more = f' Did you mean "{near[0]}"?' if near else ""
            raise click.UsageError(f'There is no command "{context.command_path} {args[0]}".{more}', context)
        return super().resolve_command(context, args)


class Root(Group):
    """`terrace` itself: imports a command's module when the command is asked for."""

    def list_commands(self, context: click.Context) -> list[str]:
        """All names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """The command, imported now."""
        entry = COMMANDS.get(name)
        if entry is None:
            return None
        command: click.Command = getattr(import_module(f"terrace.cli.{entry.module}"), entry.attribute)
        return command

    def format_help(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """The text that needs no command to be imported."""
        formatter.write(root_help() + "\n")


def _version(context: click.Context, parameter: click.Parameter, given: bool) -> None:
    if given:
        click.echo(f"terrace {__version__}")
        context.exit()


root = Root("terrace", help="Keeps what you asked for standing.")
root.params.append(
    click.Option(["--version"], is_flag=True, is_eager=True, expose_value=False, callback=_version)
)


def command(name: str, **settings: Any) -> Callable[[Callable[..., Any]], Command]:
    """Makes a command of a function. `epilog`: examples, each line indented by two."""
    return click.command(name, cls=Command, **settings)


def output_option(*choices: str) -> Callable[[Any], Any]:
    """-o for a command that shows data."""
    return click.option(
        "-o",
        "--output",
        type=click.Choice(choices or OUTPUTS),
        expose_value=False,
        is_eager=True,
        callback=_remember,
        help="how to show it",
    )


def limit_option(what: Callable[..., Any]) -> Callable[..., Any]:
    """--limit for a command that lists what may be long."""
    return click.option("--limit", type=click.IntRange(1), metavar="N", help="at most so many")(what)


def name_option(what: Callable[..., Any]) -> Callable[..., Any]:
    """--name for a command that lists what has names."""
    return click.option("--name", default="", metavar="BEGINNING", help="only those whose names begin so")(
        what
    )


def some(session: Session, listed: Callable[[int | None], Iterator[Any]], limit: int | None) -> list[Any]:
    """All that a list gives, or up to `limit` of it; people are told when there is more. `listed` is asked for so many
    (None: all)."""
    if limit is None:
        return list(listed(None))
    found = list(listed(limit + 1))
    if len(found) > limit:
        session.say(f"there are more than {limit:,}: --limit N, or narrow it")
    return found[:limit]


def stack_argument(*, required: bool = True) -> Callable[[Any], Any]:
    """The name of a stack, completed from the server; a project file may name it."""
    return click.argument(
        "stack", required=False, shell_complete=_stacks, callback=_stack if required else None
    )


def _stack(context: click.Context, parameter: click.Parameter, given: str | None) -> str:
    name = given or context.ensure_object(Session).stack
    if not name:
        raise click.MissingParameter(ctx=context, param=parameter, param_type="argument")
    return name


def _stacks(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    return completed(
        context, lambda _, client: [stack["name"] for stack in client.stacks.listing(name=incomplete)]
    )


def completed(context: click.Context, ask: Callable[[Session, Client], list[str]]) -> list[str]:
    """Words for completion, from a server that runs; none is started for it, and no error is shown."""
    from terrace.client import Client
    from terrace.errors import TerraceError

    session = context.find_object(Session) or Session()
    try:
        with Client(
            session.address(start=False), project=session.project, token=session.reach.token()
        ) as client:
            return ask(session, client)
    except TerraceError:
        return []
