"""`python -m terrace` is the `terrace` command."""

from __future__ import annotations

from terrace.main import cli

cli()
