"""Users: who has an account."""

from __future__ import annotations

import re

import msgspec

from terrace.errors import ForbiddenError, NotFoundError, UserError
from terrace.ports.people import LDAP, People, User, UserQuery
from terrace.services.gate import Actor, Right, Surface
from terrace.services.people.passwords import Passwords

_NAME = re.compile(r"[a-z][a-z0-9_.@-]{0,62}")


class UserView(msgspec.Struct, frozen=True):
    """A user as others may see them. Times are epoch seconds."""

    name: str
    title: str
    source: str
    admin: bool
    disabled: bool
    created: float


class UserChange(msgspec.Struct, frozen=True):
    """What is to be another way of a user; None: as it is."""

    title: str | None = None
    password: str | None = None
    admin: bool | None = None
    disabled: bool | None = None


class Users:
    """Use cases about users."""

    def __init__(self, on: Surface, people: People, passwords: Passwords) -> None:
        self._on = on
        self._people = people
        self._passwords = passwords

    async def listing(self, actor: Actor, wanted: UserQuery = UserQuery()) -> list[UserView]:  # noqa: B008 -- a value
        """Some of them, by name."""
        await self._on.gate.admit(actor, Right.INSPECT)
        return [_view(user) for user in await self._people.users.listing(wanted)]

    async def get(self, actor: Actor, name: str) -> UserView:
        """One of them. NotFoundError."""
        await self._on.gate.admit(actor, Right.INSPECT)
        return _view(await self._user(name))

    async def add(self, actor: Actor, name: str, change: UserChange) -> UserView:
        """A new local user. UserError for a name or password that cannot be; ConflictError when there is one."""
        await self._on.gate.admit(actor, Right.INSTALLATION, subject=f"user add {name}")
        if not _NAME.fullmatch(name):
            hint = "small letters, digits, _ . @ and -, beginning with a letter"
            raise UserError(f"{name[:80]!r} cannot be the name of a user", code="invalid-name", hint=hint)
        password = await self._passwords.hash(change.password) if change.password is not None else ""
        user = User(
            self._on.entropy.uid(),
            name,
            change.title or "",
            password=password,
            admin=bool(change.admin),
            disabled=bool(change.disabled),
            created=self._on.clock.now(),
        )
        await self._people.users.add(user)
        return _view(user)

    async def change(self, actor: Actor, name: str, change: UserChange) -> UserView:
        """Another title, password, or standing. Who is disabled loses every session and token at once, and whose
        password was set every session. ConflictError for the last administrator."""
        words = [key for key, value in msgspec.structs.asdict(change).items() if value is not None]
        await self._on.gate.admit(
            actor, Right.INSTALLATION, subject=f"user change {name}: {', '.join(words)}"
        )
        before = await self._user(name)
        if change.password is not None and before.source == LDAP:
            raise UserError(
                f'the password of "{name}" is kept by the directory',
                code="not-possible",
                hint="change it there",
            )
        hashed = before.password if change.password is None else await self._passwords.hash(change.password)
        after = msgspec.structs.replace(
            before,
            title=before.title if change.title is None else change.title,
            password=hashed,
            admin=before.admin if change.admin is None else change.admin,
            disabled=before.disabled if change.disabled is None else change.disabled,
        )
        await self._people.users.change(after)
        if change.password is not None:
            await self._people.credentials.end_sessions(after.id)
        return _view(after)

    async def remove(self, actor: Actor, name: str) -> None:
        """Takes a user away, with sessions, tokens, keys and memberships. ConflictError for the last administrator."""
        await self._on.gate.admit(actor, Right.INSTALLATION, subject=f"user remove {name}")
        await self._people.users.remove((await self._user(name)).id)

    async def set_password(self, actor: Actor, old: str, new: str) -> None:
        """Another password for who asks, who must be logged in and know the old one. It ends every session."""
        user = await own(self._people, actor)
        if user.source == LDAP:
            raise UserError(
                "your password is kept by the directory", code="not-possible", hint="change it there"
            )
        await self._on.gate.note(actor, "password", "", actor.name)
        if not await self._passwords.fits(user.password, old):
            raise ForbiddenError("the old password is wrong", code="wrong-credentials")
        await self._people.users.change(
            msgspec.structs.replace(user, password=await self._passwords.hash(new))
        )
        await self._people.credentials.end_sessions(user.id)

    async def _user(self, name: str) -> User:
        found = await self._people.users.find(name)
        if found is None:
            raise NotFoundError(f'there is no user "{name[:80]}"', hint="terrace user list")
        return found


async def own(people: People, actor: Actor) -> User:
    """The account of who asks. ForbiddenError when they are no user, or came with a token: a token that is lost must
    not make others, or lock its owner out."""
    if not actor.user or not actor.present:
        raise ForbiddenError(
            "this is for people who are logged in, with their own name and password",
            code="login-needed",
            hint="terrace login",
        )
    found = await people.users.find(actor.name)
    if found is None or found.id != actor.user:
        raise ForbiddenError(
            "there is no account of yours any more", code="unauthenticated", hint="terrace login"
        )
    return found


def _view(user: User) -> UserView:
    return UserView(user.name, user.title, user.source, user.admin, user.disabled, user.created)
