"""The shop's front door: hands each request to the next web machine, and to another when that one is away."""

import http.server
import itertools
import os
import urllib.request

WEBS = os.environ["WEBS"].split(",")
TURNS = itertools.cycle(range(len(WEBS)))


class Front(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        status, page = (200, b"ok") if self.path == "/health" else self.ask()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def ask(self):
        first = next(TURNS)
        for name in WEBS[first:] + WEBS[:first]:
            try:
                with urllib.request.urlopen(f"http://{name}:8000{self.path}", timeout=5) as answer:
                    return answer.status, answer.read()
            except OSError:
                continue
        return 503, b"<h1>The shop is closed for a moment</h1>\n"


http.server.ThreadingHTTPServer(("", 8000), Front).serve_forever()
