"""cli.md: every command."""

from __future__ import annotations

from typing import Any

from scripts.reference.text import code, page, table


def cli() -> str:
    """Every command with its options and examples."""
    import click

    from terrace.cli.commands import root
    from terrace.cli.table import EXIT_CODES, OPTIONS, SECTIONS

    parts = [
        "Results go to standard output, everything else to standard error. `terrace COMMAND --help` shows the same as "
        "here.",
        f"```text\n{OPTIONS}\n```",
        f"```text\n{EXIT_CODES}\n```",
        "`terrace exec` gives back the exit code of the program it ran.",
    ]
    for title, entries in SECTIONS.items():
        parts += [
            f"## {title}",
            table(["Command", ""], [[f"[`{n}`](#terrace-{n})", e.short] for n, e in entries.items()]),
        ]
        for name in entries:
            command = root.get_command(click.Context(root), name)
            parts += _command(f"terrace {name}", command)
    return page("Commands", *parts)


def _command(path: str, command: Any) -> list[str]:
    import click

    context = click.Context(command, info_name=path)
    parts = [
        f"### {path}",
        paragraph(command.help),
        f"    {' '.join(context.command_path.split())} {_usage(command, context)}",
    ]
    rows = [_option(one) for one in command.params if isinstance(one, click.Option) and not one.hidden]
    parts.append(table(["Option", "Default", "What it does"], rows))
    if getattr(command, "epilog", None) and not isinstance(command, click.Group):
        parts.append(f"```text\n{command.epilog.rstrip()}\n```")
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            parts += [
                part.replace("### ", "#### ", 1)
                for part in _command(f"{path} {name}", command.get_command(context, name))
            ]
    return parts


def _usage(command: Any, context: Any) -> str:
    return " ".join(command.collect_usage_pieces(context))


def paragraph(text: str | None) -> str:
    return " ".join((text or "").split())


def _option(option: Any) -> list[str]:
    names = ", ".join(map(code, [*option.opts, *option.secondary_opts]))
    takes = (
        ""
        if option.is_flag
        else option.metavar
        or (
            "[" + "|".join(option.type.choices) + "]"
            if hasattr(option.type, "choices")
            else option.name.upper()
        )
    )
    shown = option.default if option.show_default else ""
    return [f"{names} {code(takes)}".strip(), code(shown or ""), option.help or ""]
