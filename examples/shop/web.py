"""A web machine of the shop: asks the database for the number of this visit."""

import http.server
import os
import urllib.request


class Web(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        page = b"ok" if self.path == "/health" else self.page()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def page(self):
        token = {"Authorization": os.environ["TOKEN"]}
        ask = urllib.request.Request(os.environ["DB"], method="POST", headers=token)
        with urllib.request.urlopen(ask, timeout=5) as answer:
            visits = answer.read().decode()
        return f"<h1>The shop is open</h1><p>Visit {visits}, served by {os.environ['NAME']}.</p>\n".encode()


http.server.ThreadingHTTPServer(("", 8000), Web).serve_forever()
