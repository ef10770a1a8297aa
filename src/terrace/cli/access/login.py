"""`terrace login` and `terrace logout`."""

from __future__ import annotations

import sys
import time
from typing import Any

import click

from terrace.cli.commands import command, output_option, pass_session
from terrace.cli.faults import INTERRUPTED, Reported, Stop
from terrace.cli.session import Session
from terrace.cli.shape import clean, emit
from terrace.cli.target import contexts
from terrace.cli.target.contexts import Context
from terrace.errors import TerraceError, UserError

LOGIN = """\
  terrace login https://terrace.example.org:7443
  terrace login https://terrace.example.org:7443 --user ada --password-file -  < password
  terrace login https://terrace.example.org:7443 --token-file token            a token that you were given
  terrace login                                                                once more, at the server in use"""


@command("login", epilog=LOGIN)
@click.argument("url", required=False, metavar="[URL]")
@click.option("--user", metavar="NAME", help="who you are; asked for when left out")
@click.option("--name", metavar="CONTEXT", help="what to call the server from now on; its host when left out")
@click.option("--password-file", metavar="FILE", help="where the password stands; - is standard input")
@click.option(
    "--fingerprint", metavar="SHA256", help="trust the server that shows this certificate, and no other"
)
@click.option(
    "--ca-file", metavar="FILE", help="trust servers whose certificate an authority in this file signed"
)
@output_option("text", "json", "yaml")
@pass_session
def login(session: Session, /, url: str | None, name: str | None, **given: str | None) -> None:
    """Log in at a server, and use it from now on. Its certificate must be one that this machine trusts; otherwise the
    fingerprint is shown, and you decide."""
    name, context = _target(session, url, name)
    if given["fingerprint"] or given["ca_file"]:
        context = context._replace(
            fingerprint=_fingerprint(given["fingerprint"]), ca_file=given["ca_file"] or ""
        )
    context = _trusted(session, context)
    token, found = _enter(session, context, given["user"] or "", given["password_file"])
    project = session.flags.get("project") or context.project or found.get("project") or ""
    file = session.reach.config_file
    contexts.keep_token(file, name, token)
    contexts.write_context(file, name, context._replace(user=found["name"], project=project))
    told = {"context": name, "server": context.server, "name": found["name"], "project": project}
    until = found.get("expires")
    emit(session, told | {"expires": until}, lambda: _said(told, until), lambda: [name])


def _target(session: Session, url: str | None, name: str | None) -> tuple[str, Context]:
    """Where to log in, and what is known of it."""
    known = contexts.read_config(session.reach.config_file)
    if url is None:
        if session.reach.context in ("", contexts.LOCAL):
            hint = "terrace login https://HOST:PORT; the local server needs no login"
            raise Stop("at which server?", code="usage", hint=hint)
        return name or session.reach.context, known.named(session.reach.context)
    from terrace.client.address import parse_address

    address = parse_address(url)
    if address.path:
        raise UserError(
            "a Unix socket is its owner's, who need not log in",
            code="invalid-address",
            hint=f"terrace --server {url} ...",
        )
    if not address.private:
        raise UserError(
            f"a password is not sent to {url}: others could read it on its way",
            code="insecure-address",
            hint="use https://",
        )
    called = name or next(
        (key for key, one in known.contexts.items() if one.server == str(address)), address.host
    )
    contexts.check_context(called)
    before = known.contexts.get(called)
    same = before is not None and before.server == str(address)
    return called, before if same and before is not None else Context(str(address))


def _fingerprint(text: str | None) -> str:
    from terrace.client.access.trust import parse_fingerprint

    return parse_fingerprint(text) if text else ""


def _trusted(session: Session, context: Context) -> Context:
    """The context, with the fingerprint that a person said is right, if nothing else makes its server trusted."""
    from terrace.client import Client, UnreachableError
    from terrace.client.access.trust import Trust, shown_by

    if not context.server.startswith("https://"):
        return context
    with Client(context.server, trust=Trust(context.fingerprint, context.ca_file)) as client:
        try:
            client.version()
            return context
        except UnreachableError as error:
            if error.code != "untrusted-server" or context.fingerprint or context.ca_file:
                raise
            shown = shown_by(client.address)
    session.say(f"{context.server} shows a certificate that nothing on this machine trusts:\n  {shown}")
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Stop(
            "nobody is here to say whether it is the right one",
            code="untrusted-server",
            hint="compare it with what `terrace server status` shows on the server, then add --fingerprint",
        )
    print(
        "Is that what `terrace server status` shows on the server? Trust it from now on? [y/N] ",
        end="", file=sys.stderr, flush=True,
    )  # fmt: skip
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        print("nothing was changed", file=sys.stderr)
        raise Reported(INTERRUPTED)
    return context._replace(fingerprint=shown)


def _enter(
    session: Session, context: Context, user: str, password_file: str | None
) -> tuple[str, dict[str, Any]]:
    """A token, and what the server says of whose it is: the token that was given, or one for a password."""
    from terrace.client import Client
    from terrace.client.access.token import read_token
    from terrace.client.access.trust import Trust

    trust = Trust(context.fingerprint, context.ca_file)
    if file := session.reach.token_file:
        token = read_token(file)
        with Client(context.server, trust=trust, token=token) as client:
            return token, client.people.me.get()
    user = user or _asked("User: ", context.user)
    with Client(context.server, trust=trust) as client:
        found = client.people.me.login(user, _password(password_file, user))
    return found["token"], found


def _asked(question: str, known: str) -> str:
    if known:
        return known
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Stop("as whom?", code="usage", hint="add --user NAME")
    print(question, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()


def _password(file: str | None, user: str) -> str:
    if file is not None:
        try:
            text = sys.stdin.read(8192) if file == "-" else open(file, encoding="utf-8").read(8192)  # noqa: SIM115
        except (OSError, UnicodeDecodeError) as error:
            raise Stop(
                f"the password file {file} cannot be read ({error})", code="bad-password-file"
            ) from error
        return text.removesuffix("\n").removesuffix("\r")
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Stop(
            "there is nobody to ask for the password",
            code="usage",
            hint="add --password-file FILE; - is standard input",
        )
    import getpass

    return getpass.getpass(f"Password of {user}: ", sys.stderr)


def _said(told: dict[str, str], until: Any) -> str:
    end = time.strftime(", until %Y-%m-%d %H:%M", time.localtime(until)) if until else ""
    work = f", project {clean(told['project'])}" if told["project"] else ""
    return f"logged in at {told['server']} as {clean(told['name'])}{work}{end}; context {told['context']}"


@command("logout", epilog="  terrace logout\n  terrace logout work")
@click.argument("name", metavar="[CONTEXT]", required=False)
@pass_session
def logout(session: Session, name: str | None) -> None:
    """End the session at a server: its token is worth nothing from then on, and is taken from this machine."""
    name = name or session.reach.context
    if name in ("", contexts.LOCAL):
        raise Stop("the local server needs no login, so there is nothing to end", code="usage")
    known = contexts.read_config(session.reach.config_file).named(name)
    from terrace.client import ApiError, Client
    from terrace.client.access.token import read_token
    from terrace.client.access.trust import Trust

    try:
        token = read_token(contexts.token_file(session.reach.config_file, name))
    except TerraceError:
        session.say(f"you are not logged in at {known.server}")
        return
    try:
        with Client(known.server, trust=Trust(known.fingerprint, known.ca_file), token=token) as client:
            client.people.me.logout()
    except ApiError as error:
        if error.status != 401:  # it was worth nothing any more
            raise
    finally:
        contexts.forget_token(session.reach.config_file, name)
    session.say(f"logged out at {known.server}")
