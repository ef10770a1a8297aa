"""Tells its name to whoever asks."""

import http.server
import os


class Web(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        page = b"ok" if self.path == "/health" else f"{os.environ['NAME']}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128


Server(("", 8000), Web).serve_forever()
