"""Tokens: read from a file or from standard input, never from a flag that others can see."""

from __future__ import annotations

import os
import re
import stat
import sys

from terrace.errors import UserError

LONGEST = 8192
_TOKEN = re.compile(r"[\x21-\x7e]+")


def read_token(file: str) -> str:
    """The token in `file` ("-": standard input), without the space around it. UserError when there is none, or others
    may read the file."""
    try:
        if file == "-":
            text = sys.stdin.read(LONGEST)
        else:
            with open(file, encoding="ascii") as opened:
                mode = os.fstat(opened.fileno()).st_mode
                if stat.S_ISREG(mode) and mode & 0o077:
                    raise UserError(
                        f"others may read the token in {file}",
                        code="token-file-open",
                        hint=f"chmod 600 {file}",
                    )
                text = opened.read(LONGEST)
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"the token file {file} cannot be read ({error})", code="bad-token-file") from error
    token = text.strip()
    if not _TOKEN.fullmatch(token):
        where = "standard input" if file == "-" else file
        raise UserError(f"{where} holds no token", code="bad-token-file", hint="one line: trc_...")
    return token
