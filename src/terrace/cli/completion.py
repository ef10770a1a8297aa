"""`terrace completion`: what a shell needs to complete commands and the names of stacks."""

from __future__ import annotations

import click

from terrace.cli.commands import command

INSTALL = {
    "bash": "terrace completion bash > ~/.local/share/bash-completion/completions/terrace",
    "zsh": 'terrace completion zsh > "${fpath[1]}/_terrace"',
    "fish": "terrace completion fish > ~/.config/fish/completions/terrace.fish",
}


@command("completion", epilog="\n".join(f"  {line}" for line in INSTALL.values()))
@click.argument("shell", type=click.Choice(list(INSTALL)))
def completion(shell: str) -> None:
    """Print the completion script of a shell."""
    from click.shell_completion import get_completion_class

    from terrace.cli.commands import root

    kind = get_completion_class(shell)
    assert kind is not None  # Choice lets only known shells pass
    click.echo(kind(root, {}, "terrace", "_TERRACE_COMPLETE").source())
