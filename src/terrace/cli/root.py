"""The top of the command line: finds commands when they are asked for, and turns every error into words and
an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

from terrace import __version__
from terrace.cli.table import root_help


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command line; its exit code, as documented in `terrace --help`."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    completing = "_TERRACE_COMPLETE" in os.environ
    if not completing and (not words or words in (["--help"], ["-h"], ["help"])):
        print(root_help())
        return 0
    if words == ["--version"]:
        print(f"terrace {__version__}")
        return 0
    return run(words)


def run(words: list[str]) -> int:
    """The same by way of click, which is imported only now."""
    import click

    from terrace.cli import faults
    from terrace.cli.commands import root
    from terrace.cli.session import Session
    from terrace.errors import TerraceError

    session = Session()
    try:
        result = root.main(args=words, prog_name="terrace", standalone_mode=False, obj=session)
        sys.stdout.flush()
        return result if isinstance(result, int) else faults.DONE
    except faults.Reported as done:
        return done.exit_code
    except TerraceError as error:
        faults.report(error, session)
        return faults.exit_code(error)
    except click.ClickException as error:
        faults.report(_usage(error), session)
        return faults.ERROR
    except (KeyboardInterrupt, click.Abort):
        print("interrupted", file=sys.stderr)
        return faults.INTERRUPTED
    except BrokenPipeError:  # whoever read us has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return faults.DONE
    except Exception as error:
        return _internal(error, session.debug)
    finally:
        session.close()


def _usage(error: Any) -> Any:
    from terrace.errors import UserError

    context = getattr(error, "ctx", None)
    hint = f"{context.command_path} --help" if context is not None else "terrace --help"
    return UserError(error.format_message(), code="usage", hint=hint)


def _internal(error: Exception, debug: bool) -> int:
    """A fault of ours: one line for people, the trace in a file (or here, with --debug)."""
    import traceback

    from terrace.client.local import locate

    trace = "".join(traceback.format_exception(error))
    if debug:
        print(trace, file=sys.stderr, end="")
    log = os.path.join(locate().state, "cli-error.log")
    try:
        with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(trace)
        where = f"the trace is in {log}"
    except OSError:
        where = "--debug shows the trace"
    print(f"internal error: {type(error).__name__}: {error} ({where})", file=sys.stderr)
    return 1
