"""The shop's database: counts visits in a file on the volume, for whoever knows the token."""

import http.server
import os
import pathlib
import threading

COUNT = pathlib.Path("/var/lib/shop/visits")
LOCK = threading.Lock()


class Database(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        if self.headers.get("Authorization") != os.environ["TOKEN"]:
            self.send_error(403)
            return
        with LOCK:
            visits = int(COUNT.read_text()) + 1 if COUNT.exists() else 1
            fresh = COUNT.with_suffix(".new")
            fresh.write_text(str(visits))
            fresh.replace(COUNT)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(str(visits).encode())


http.server.ThreadingHTTPServer(("", 8000), Database).serve_forever()
