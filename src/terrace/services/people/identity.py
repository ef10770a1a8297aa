"""From a credential to an Actor: what its owner may, no more than it says itself."""

from __future__ import annotations

from collections.abc import Sequence

from terrace.ports.people import SERVICE, SESSION, Credential, Member, User
from terrace.services.gate import Actor, Right
from terrace.services.people import roles


def of_user(user: User, credential: Credential, members: Sequence[Member], source: str) -> Actor:
    """Somebody who showed a session or a token of theirs. `members`: every membership that counts for them."""
    everywhere = roles.ADMINISTRATOR_EVERYWHERE if user.admin else frozenset[Right]()
    wide = roles.ADMINISTRATOR if user.admin else roles.EVERYBODY
    granted = roles.given(members)
    narrowed = roles.scope(credential.role, credential.rights)
    if narrowed is not None:
        granted = {project: found & narrowed for project, found in granted.items()}
        everywhere &= narrowed
    if credential.project:
        granted = {credential.project: granted.get(credential.project, frozenset()) | everywhere}
        granted = {project: found for project, found in granted.items() if found}
        everywhere = frozenset()
    if credential.project:
        wide = roles.EVERYBODY
    elif narrowed is not None:
        wide = (wide & narrowed) | roles.EVERYBODY
    return Actor(
        user.name,
        rights=granted,
        everywhere=everywhere,
        wide=wide,
        user=user.id,
        credential=credential.id,
        present=credential.kind == SESSION,
        source=source,
    )


def of_service(credential: Credential, source: str) -> Actor:
    """A program with a token of a project."""
    assert credential.kind == SERVICE
    found = roles.scope(credential.role, credential.rights) or frozenset({Right.READ})
    return Actor(
        f"{credential.project}/{credential.name}",
        rights={credential.project: found},
        wide=roles.EVERYBODY,
        credential=credential.id,
        source=source,
    )
