"""Implements ports.people over a Database."""

from __future__ import annotations

from terrace.stores.relational.database import Database
from terrace.stores.relational.people.credentials import RelationalCredentials
from terrace.stores.relational.people.groups import RelationalGroups
from terrace.stores.relational.people.projects import RelationalProjects
from terrace.stores.relational.people.users import RelationalUsers


class RelationalPeople:
    """See ports.people.People."""

    def __init__(self, database: Database) -> None:
        self.users = RelationalUsers(database)
        self.groups = RelationalGroups(database)
        self.projects = RelationalProjects(database)
        self.credentials = RelationalCredentials(database)
