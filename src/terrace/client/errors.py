"""What can go wrong between a client and a server."""

from __future__ import annotations

from typing import Any

from terrace.errors import TerraceError


class ApiError(TerraceError):
    """The server answered with a problem document (RFC 9457). `status` is the HTTP status, `problems` the
    mistakes in documents, each as a mapping with the fields of `terrace.model.problem.Problem`."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str = "",
        hint: str = "",
        problems: tuple[dict[str, Any], ...] = (),
    ) -> None:
        super().__init__(message, hint=hint, code=code)
        self.status = status
        self.problems = problems


class UnreachableError(TerraceError):
    """Nothing answers at the server's address, or it stopped answering half-way."""

    code = "server-unreachable"
