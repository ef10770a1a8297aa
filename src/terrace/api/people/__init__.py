"""People over HTTP: logging in, and who may do what where."""

from __future__ import annotations

from terrace.api.people import audit, groups, login, projects, tokens, users

ROUTERS = (login, users, groups, projects, tokens, audit)
