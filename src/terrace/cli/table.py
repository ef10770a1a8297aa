"""Every command, as data: so that `terrace --help` needs to import none of them, nor click."""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """Where a command lives (`module` below terrace.cli, `attribute`) and what it does, in a few words."""

    module: str
    attribute: str
    short: str


EVERY_DAY = {
    "up": Entry("verbs.up", "up", "make it so: apply a template and follow until settled"),
    "plan": Entry("verbs.plan", "plan", "what `up` would change, and why"),
    "status": Entry("verbs.status", "status", "every resource of a stack: state, since when, why"),
    "list": Entry("verbs.status", "listing", "all stacks"),
    "down": Entry("verbs.down", "down", "delete a stack and everything in it"),
    "history": Entry("verbs.history", "history", "a stack's generations: who changed what, when"),
    "rollback": Entry("verbs.history", "rollback", "want an earlier generation again"),
    "retry": Entry("verbs.retry", "retry", "try at once what failed"),
    "scale": Entry("verbs.scale", "scale", "how many members a group has"),
    "output": Entry("verbs.output", "output", "a stack's outputs"),
    "events": Entry("verbs.events", "events", "what happened"),
    "logs": Entry("verbs.logs", "logs", "what machines wrote"),
    "exec": Entry("verbs.exec", "run", "run a program in a machine"),
    "validate": Entry("validate", "validate", "check templates on this machine, without a server"),
}

OPERATIONS = {
    "check": Entry("operations.check", "check", "look at everything now, and say what differs"),
    "taint": Entry("operations.orders", "taint", "make one resource anew"),
    "restart": Entry("operations.orders", "restart", "restart a machine"),
    "suspend": Entry("operations.orders", "suspend", "stop a stack's machines, until resumed"),
    "resume": Entry("operations.orders", "resume", "start what `suspend` stopped"),
    "cancel": Entry("operations.changing", "cancel", "end a change that is under way"),
    "mv": Entry("operations.changing", "move", "another name for a resource, the same thing"),
    "rename": Entry("operations.changing", "rename", "another name for a stack"),
    "import": Entry("operations.adoption", "take_in", "an existing container or volume becomes a resource"),
    "abandon": Entry("operations.adoption", "abandon", "forget a stack, and keep its things"),
    "adopt": Entry("operations.adoption", "adopt", "manage again what was abandoned"),
    "protect": Entry("operations.orders", "protect", "refuse to delete a stack"),
}

THINGS = {
    "template": Entry("nouns.template", "template", "what templates can say: functions, types, schema, fmt"),
    "image": Entry("nouns.image", "image", "images: list, build, pull"),
    "flavor": Entry("nouns.flavor", "flavor", "sizes of machines: list, set, rm, allow"),
    "secret": Entry(
        "vault.secret", "secret", "secrets of the project: set, list, rm; the keys of all: rotate-key"
    ),
    "quota": Entry("vault.quota", "quota", "how much each project may have: show, set, check"),
    "provider": Entry("nouns.provider", "provider", "where things run: list, show"),
    "snapshot": Entry("nouns.snapshot", "snapshot", "snapshots of stacks: create, list, restore, delete"),
    "hook": Entry("nouns.hook", "hook", "what waits for a person: list, clear"),
    "ghost": Entry("nouns.ghost", "ghost", "things with our label that nothing wants: list, reap"),
    "signal": Entry("nouns.signal", "signal", "signals to handles and policies: list, send, rotate"),
    "engine": Entry("nouns.engine", "engine", "the processes that share a database: list, drain"),
    "db": Entry("nouns.db", "db", "the server's database: check, migrate, backup, restore, move"),
    "server": Entry("nouns.server", "server", "the local server: start, stop, status, install, config"),
}

ACCESS = {
    "login": Entry("access.login", "login", "log in at a server, and use it from now on"),
    "logout": Entry("access.login", "logout", "end the session at a server"),
    "context": Entry("access.context", "context", "the servers that you know: list, use, remove"),
}

PEOPLE = {
    "user": Entry("people.user", "user", "who can log in: add, change, password, rm"),
    "group": Entry("people.group", "group", "users under one name: add, join, leave"),
    "project": Entry("people.project", "project", "projects: members and their roles, what they may use"),
    "token": Entry("people.token", "token", "how programs are known: create, list, revoke"),
    "key": Entry("people.key", "key", "your SSH public keys: add, list, rm"),
    "auth": Entry("people.auth", "auth", "who you are and what you may: whoami, can-i"),
    "audit": Entry("people.audit", "audit", "who asked for what: list, verify"),
}

HELP = {
    "doctor": Entry("doctor", "doctor", "check this machine and the connection; says how to mend each fault"),
    "completion": Entry("completion", "completion", "completion for bash, zsh or fish"),
    "version": Entry("version", "version", "versions of this program and of the server"),
}

SECTIONS = {
    "Every day": EVERY_DAY,
    "Operations on a stack": OPERATIONS,
    "Things": THINGS,
    "People": PEOPLE,
    "Servers": ACCESS,
    "Help": HELP,
}
COMMANDS: dict[str, Entry] = {**EVERY_DAY, **OPERATIONS, **THINGS, **PEOPLE, **ACCESS, **HELP}

EXIT_CODES = """\
Exit codes:
  0    done
  1    error
  2    changes pending (plan)
  3    not settled in time
  4    conflict: the stack changed meanwhile
  5    denied
  130  interrupted"""

OPTIONS = """\
Options, before or behind the command:
  --server ADDRESS    https://host:port or unix:///path, instead of the local server
  --context NAME      a server that `terrace login` made known, or local
  --token-file FILE   the token that says who you are; - reads it from standard input
  --project NAME      the project to work in
  --no-color          plain text
  --debug             the whole trace of an unexpected error
  --version           the version of this program
  -h, --help          this text, or the help of a command"""

INTRODUCTION = """\
Usage: terrace COMMAND [options]

Terrace keeps what you asked for standing: write a template, `terrace up` makes it so, and it stays so."""

ENDING = (
    "`terrace COMMAND --help` has examples. Settings: ~/.config/terrace/config.toml, TERRACE_* variables."
)


def root_help() -> str:
    """The text of `terrace --help`."""
    blocks = [INTRODUCTION]
    for title, entries in SECTIONS.items():
        lines = [f"  {name:<12}{entry.short}" for name, entry in entries.items()]
        blocks.append("\n".join([f"{title}:", *lines]))
    return "\n\n".join([*blocks, OPTIONS, EXIT_CODES, ENDING])
