"""Tokens: how programs are known."""

from __future__ import annotations

import msgspec

from terrace.errors import NotFoundError, UserError
from terrace.ports.people import SERVICE, SESSION, TOKEN, Credential, CredentialQuery, People
from terrace.services.gate import Actor, Right, Surface
from terrace.services.people import roles
from terrace.services.people.login import issue
from terrace.services.people.users import own
from terrace.services.settings import Access


class TokenView(msgspec.Struct, frozen=True):
    """A token, by its `id`. `kind`: session (a login), token or service; `project`, `role` and `rights` are what it is
    narrowed to ("" and []: to nothing). Times are epoch seconds; `used` 0: never."""

    id: str
    kind: str
    name: str
    project: str
    role: str
    rights: list[str]
    created: float
    maker: str
    expires: float
    used: float


class TokenMade(msgspec.Struct, frozen=True):
    """A new token, shown this once."""

    token: str
    about: TokenView


class TokenWish(msgspec.Struct, frozen=True):
    """What a token is to be. `service`: it is its project's, and not that of who makes it. `lasts` seconds (None: as
    long as the settings allow)."""

    name: str
    project: str = ""
    role: str = ""
    rights: tuple[str, ...] = ()
    service: bool = False
    lasts: float | None = None


class Tokens:
    """Use cases about tokens."""

    def __init__(self, on: Surface, people: People, access: Access) -> None:
        self._on = on
        self._people = people
        self._access = access

    async def create(self, actor: Actor, wish: TokenWish) -> TokenMade:
        """A token of who asks, who must be logged in; or one of a project, which takes the right to say who its members
        are. UserError, NotFoundError."""
        roles.rights(wish.rights, wide=not wish.project and not wish.service)
        if wish.role:
            roles.role(wish.role)
        lasts = self._access.token if wish.lasts is None else wish.lasts
        if not 0 < lasts <= self._access.token:
            longest = self._access.token / 86400
            raise UserError(
                f"a token lasts at most {longest:g} days", code="out-of-bounds", hint="people.token"
            )
        expires = self._on.clock.now() + lasts
        scope = f"{wish.name} for {wish.project or 'all projects'}: {' '.join((wish.role, *wish.rights)) or 'all'}"
        if wish.service:
            await self._on.gate.admit(
                actor, Right.MEMBERS, wish.project or "default", f"service token {scope}"
            )
            if not wish.project or not (wish.role or wish.rights):
                hint = "terrace token create NAME --service --project PROJECT --role developer"
                raise UserError(
                    "a service token is of one project, with a role or rights",
                    code="invalid-request",
                    hint=hint,
                )
            kind, owner = SERVICE, ""
        else:
            if wish.project:
                await self._on.gate.admit(actor, Right.READ, wish.project)
            kind, owner = TOKEN, (await own(self._people, actor)).id
            await self._on.gate.note(actor, "token", wish.project, scope)
        made = Credential(
            "",
            "",
            kind,
            owner,
            wish.project,
            wish.name,
            wish.role,
            wish.rights,
            maker=actor.name,
            expires=expires,
        )
        token, credential = issue(self._on, made)
        await self._people.credentials.add(credential)
        return TokenMade(token, _view(credential))

    async def listing(
        self,
        actor: Actor,
        project: str = "",
        wanted: CredentialQuery = CredentialQuery(),  # noqa: B008 -- a value
    ) -> list[TokenView]:
        """Some of those of who asks, their sessions too; or of the service tokens of a project, which takes the right
        to say who its members are. Whose they are is not for `wanted` to say."""
        if project:
            await self._on.gate.admit(actor, Right.MEMBERS, project, "tokens")
        else:
            await self._on.gate.admit(actor, Right.CATALOGUE)
            if not actor.user:
                return []
        owner = "" if project else actor.user
        ours = msgspec.structs.replace(wanted, owner=owner, project=project)
        return [_view(one) for one in await self._people.credentials.listing(ours)]

    async def revoke(self, actor: Actor, identity: str, project: str = "") -> None:
        """Ends a token: one of who asks, or a service token of a project. NotFoundError."""
        if project:
            await self._on.gate.admit(actor, Right.MEMBERS, project, "tokens")
        else:
            await self._on.gate.admit(actor, Right.CATALOGUE)
        found = await self._people.credentials.get(identity)
        if found is None or not _theirs(actor, found, project):
            hint = f"terrace token list{f' --service --project {project}' if project else ''}"
            raise NotFoundError(f'there is no token "{identity[:40]}" of yours', hint=hint)
        what = "session" if found.kind == SESSION else "token"
        await self._on.gate.note(actor, what, project, f"revoke {identity} ({found.name})")
        await self._people.credentials.remove(identity)


def _theirs(actor: Actor, one: Credential, project: str) -> bool:
    """Whether it is a service token of the project, or of who asks."""
    if project:
        return one.kind == SERVICE and one.project == project
    return bool(actor.user) and one.owner == actor.user


def _view(one: Credential) -> TokenView:
    return TokenView(
        one.id,
        one.kind,
        one.name,
        one.project,
        one.role,
        list(one.rights),
        one.created,
        one.maker,
        one.expires,
        one.used,
    )
