"""Who there is: users, groups, projects and their members, and the credentials by which they are known again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

LOCAL, LDAP = "local", "ldap"
SESSION, TOKEN, SERVICE = "session", "token", "service"
USER, GROUP = "user", "group"


class User(msgspec.Struct, frozen=True):
    """Somebody. `source`: where the password is checked, local or ldap; `password`: its hash ("": there is none);
    `admin`: of the installation; `checked`: when the source last said that they exist. Times are epoch seconds."""

    id: str
    name: str
    title: str = ""
    source: str = LOCAL
    password: str = ""
    admin: bool = False
    disabled: bool = False
    created: float = 0.0
    checked: float = 0.0


class Group(msgspec.Struct, frozen=True):
    """Several users under one name. `members` are names of users."""

    id: str
    name: str
    source: str = LOCAL
    created: float = 0.0
    members: tuple[str, ...] = ()


class Project(msgspec.Struct, frozen=True):
    """A tenant. `title` is for people; `maker` the name of who made it."""

    name: str
    title: str = ""
    created: float = 0.0
    maker: str = ""


class Member(msgspec.Struct, frozen=True):
    """What a user or a group (`kind`, `member`: its id, `name`) may do in a project: what the role gives and `granted`
    adds, without what is `denied`."""

    project: str
    kind: str
    member: str
    role: str
    granted: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    since: float = 0.0
    name: str = ""


class Credential(msgspec.Struct, frozen=True):
    """What a token stands for. `kind`: session (a login), token (of a user) or service (of a project, `owner` ""). Its
    `project`, `role` and `rights` narrow what its owner may ("" and (): they do not). `digest` is the token's SHA-256;
    the token itself is nowhere. `expires` and `used` are epoch seconds."""

    id: str
    digest: str
    kind: str
    owner: str = ""
    project: str = ""
    name: str = ""
    role: str = ""
    rights: tuple[str, ...] = ()
    created: float = 0.0
    maker: str = ""
    expires: float = 0.0
    used: float = 0.0


class SshKey(msgspec.Struct, frozen=True):
    """A public key of a user, for machines that let its owner in."""

    owner: str
    name: str
    text: str
    fingerprint: str
    created: float = 0.0


class Reach(msgspec.Struct, frozen=True):
    """A provider that a project may use; `region` "": all of it."""

    project: str
    provider: str
    region: str = ""


class UserQuery(msgspec.Struct, frozen=True):
    """Which users are listed: those whose names begin with `name`, of one `source` ("": of all), up to `limit` of them
    after the one named `after`."""

    name: str = ""
    source: str = ""
    after: str = ""
    limit: int = 1000


class CredentialQuery(msgspec.Struct, frozen=True):
    """Which credentials are listed: those of a user (`owner`), or the service tokens of a `project`; of one `kind` ("":
    of all); those whose names begin with `name`; up to `limit` of them after the one made at a time with an id."""

    owner: str = ""
    project: str = ""
    kind: str = ""
    name: str = ""
    after: tuple[float, str] = (-1.0, "")
    limit: int = 1000


class Users(Protocol):
    """People, and their keys. Every write is synced before it returns."""

    async def find(self, name: str) -> User | None:
        """By name."""

    async def listing(self, wanted: UserQuery = UserQuery()) -> list[User]:  # noqa: B008 -- a value
        """Those, by name."""

    async def add(self, user: User) -> None:
        """A new one. ConflictError when the name is taken."""

    async def change(self, user: User) -> None:
        """Puts `user` in the place of the one with its id; a disabled one loses every credential with it.
        NotFoundError; ConflictError when no installation admin would be left."""

    async def remove(self, user: str) -> None:
        """Takes the one with that id away, with credentials, keys and memberships. ConflictError when no installation
        admin would be left."""

    async def keys(self, user: str) -> list[SshKey]:
        """Their public keys, by name."""

    async def add_key(self, key: SshKey) -> None:
        """One more. ConflictError when the name is taken."""

    async def remove_key(self, user: str, name: str) -> bool:
        """Takes one away; whether it was there."""


class Groups(Protocol):
    """Groups of people. Every write is synced before it returns."""

    async def find(self, name: str) -> Group | None:
        """By name, with its members."""

    async def listing(self) -> list[Group]:
        """All, by name, with their members."""

    async def add(self, group: Group) -> None:
        """A new one, empty. ConflictError when the name is taken."""

    async def remove(self, group: str) -> None:
        """Takes the one with that id away. Who was in it loses what came of it, sessions too."""

    async def join(self, group: str, user: str) -> None:
        """A user becomes a member; nothing happens when they are."""

    async def leave(self, group: str, user: str) -> bool:
        """A user is none any more, and loses sessions and what came of it; whether they were one."""

    async def settle(self, user: str, groups: Sequence[Group]) -> None:
        """The user is in just these groups of that source (those that do not exist are made), and loses sessions when
        they left one."""

    async def of_user(self, user: str) -> list[str]:
        """Names of the groups that a user is in."""


class Projects(Protocol):
    """Projects, their members, and what they may use. Every write is synced before it returns."""

    async def find(self, name: str) -> Project | None:
        """By name."""

    async def listing(self) -> list[Project]:
        """All, by name."""

    async def add(self, project: Project, members: Sequence[Member] = ()) -> None:
        """A new one with its first members. ConflictError when the name is taken."""

    async def change(self, project: Project) -> None:
        """Another title."""

    async def remove(self, name: str) -> None:
        """Takes it away with its service tokens and memberships. ConflictError while it has stacks."""

    async def members(self, project: str) -> list[Member]:
        """Users and groups, by name."""

    async def of_user(self, user: str) -> list[Member]:
        """Every membership of a user, those of their groups too."""

    async def admit(self, member: Member) -> None:
        """A new member, or another role of one."""

    async def dismiss(self, member: Member) -> bool:
        """A member leaves: those who thereby lose the project lose their tokens for it, and their sessions. Whether
        there was one."""

    async def reach(self, project: str) -> list[Reach]:
        """What it may use (none: what the settings say)."""

    async def set_reach(self, project: str, reach: Sequence[Reach]) -> None:
        """It may use these alone from now on (none: what the settings say)."""


class Credentials(Protocol):
    """Tokens and sessions, by their digest."""

    async def find(self, digest: str) -> tuple[Credential, User | None] | None:
        """The credential with its owner (None: a service token)."""

    async def add(self, credential: Credential) -> None:
        """A new one, synced."""

    async def listing(self, wanted: CredentialQuery) -> list[Credential]:
        """Those, oldest first."""

    async def get(self, credential_id: str) -> Credential | None:
        """By its id."""

    async def remove(self, credential: str) -> bool:
        """Takes one away by its id; whether it was there. Synced."""

    async def end_sessions(self, owner: str) -> int:
        """Ends every session of a user, synced; how many."""

    async def touch(self, credential: str, at: float) -> None:
        """It was used."""

    async def checked(self, user: str, at: float) -> None:
        """The source of a user said that they exist."""

    async def prune(self, now: float) -> int:
        """Takes away those that have expired; how many."""


class People(Protocol):
    """All of it."""

    @property
    def users(self) -> Users:
        """People, and their keys."""

    @property
    def groups(self) -> Groups:
        """Groups of people."""

    @property
    def projects(self) -> Projects:
        """Projects, their members, and what they may use."""

    @property
    def credentials(self) -> Credentials:
        """Tokens and sessions."""


class Found(msgspec.Struct, frozen=True):
    """Somebody as a directory knows them: the name they log in by, the one for people, and their groups there."""

    name: str
    title: str = ""
    groups: tuple[str, ...] = ()


class Directory(Protocol):
    """Where people are known besides here. Every method raises TransientError when it cannot be asked."""

    async def check(self, name: str, password: str) -> Found | None:
        """Who that is, if the password is right."""

    async def find(self, name: str) -> Found | None:
        """Who that is, or None when there is nobody of that name any more."""
