"""People: users, groups, projects, tokens, keys, the audit log, and who asks."""

from __future__ import annotations

from terrace.client.people.accounts import Groups, Me, Users
from terrace.client.people.projects import Projects
from terrace.client.people.tokens import Audit, Keys, Tokens
from terrace.client.transport import Transport


class People:
    """All about people of one server, as mappings that API v1 describes."""

    def __init__(self, transport: Transport) -> None:
        self.me = Me(transport)
        self.users = Users(transport)
        self.groups = Groups(transport)
        self.projects = Projects(transport)
        self.tokens = Tokens(transport)
        self.keys = Keys(transport)
        self.audit = Audit(transport)
