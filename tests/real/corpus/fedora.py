#!/usr/bin/env python3
"""Stands in for the programs of a Fedora guest that templates of the corpus call: each name is a link to this file.

They do little, but what hangs on them is true: a site answers only where everything that user data should do was done,
and its database knows what it was told. A unit that is started again finds its port taken, and the first goes on.
"""

from __future__ import annotations

import http.server
import pathlib
import re
import socket
import socketserver
import subprocess
import sys

ROOT = pathlib.Path("/")
SITE = ROOT / "etc/httpd/conf.d/wordpress.conf"
PRESS = ROOT / "etc/wordpress/wp-config.php"
GRANTS = ROOT / "var/lib/mysql/grants"
SENT = re.compile(r'GRANT ALL PRIVILEGES ON (\S+)\.\* TO "(\S+)"@"%"\s+IDENTIFIED BY "(\S+)";')
FILES = {
    "wordpress": {
        SITE: "Require local\nDeny from All\n",
        PRESS: "DB_NAME database_name_here\nDB_USER username_here\nDB_PASSWORD password_here\nDB_HOST localhost\n",
    },
    "mariadb-server": {GRANTS: ""},
}


class Database(socketserver.StreamRequestHandler):
    """Whoever knows a name, a user and the password to it is let in."""

    def handle(self) -> None:
        self.wfile.write(
            b"welcome\n" if self.rfile.readline().decode().strip() in GRANTS.read_text() else b"\n"
        )


class Site(http.server.BaseHTTPRequestHandler):
    """The page of a site whose database lets it in."""

    def do_GET(self) -> None:
        said = dict(line.split() for line in PRESS.read_text().splitlines())
        if re.search("Require local|Deny from All", SITE.read_text()):
            self.send_error(403)
            return
        with socket.create_connection((said["DB_HOST"], 3306), 3) as link, link.makefile("rw") as file:
            print(said["DB_NAME"], said["DB_USER"], said["DB_PASSWORD"], file=file, flush=True)
            answer = file.readline().strip()
        self.send_response(200 if answer == "welcome" else 500)
        self.end_headers()
        self.wfile.write(f"{socket.gethostname()}\n".encode())


def main(name: str, words: list[str]) -> None:
    """What a program of that name does."""
    match name, words:
        case "yum", _ if "install" in words:
            for path, text in (pair for one in words for pair in FILES.get(one, {}).items()):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
        case "systemctl", ["start" | "restart", unit]:
            subprocess.Popen([sys.executable, __file__, "serve", unit], start_new_session=True)
        case "mysql", _:
            GRANTS.write_text("\n".join(" ".join(found) for found in SENT.findall(sys.stdin.read())))
        case _, ["serve", "mariadb.service"]:
            socketserver.ThreadingTCPServer(("", 3306), Database).serve_forever()
        case _, ["serve", _]:
            http.server.ThreadingHTTPServer(("", 80), Site).serve_forever()


main(pathlib.Path(sys.argv[0]).name, sys.argv[1:])
