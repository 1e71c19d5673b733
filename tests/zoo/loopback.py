"""An HTTP server on loopback that misbehaves as it is told."""

import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ETAG = '"v1"'


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_):
        """Clients that hang up are part of it."""


class Loopback:
    """Answers each path by its script: a list of behaviours, the last of which stays."""

    def __init__(self):
        self.scripts, self.requests = {}, []
        self.lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                path = self.path.partition("?")[0]
                with outer.lock:
                    outer.requests.append((self.command, self.path, dict(self.headers)))
                    script = outer.scripts.get(path) or [status(404)]
                    behave = script.pop(0) if len(script) > 1 else script[0]
                try:
                    behave(self)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            do_HEAD = do_GET

            def log_message(self, *_):
                pass

        self.server = _Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def at(self, path, *behaviours, host="127.0.0.1"):
        """Script a path; gives its address."""
        self.scripts[path] = list(behaviours)
        return f"http://{host}:{self.port}{path}"

    def gets(self, path=None):
        """Headers of the GET requests, in order."""
        return [
            headers
            for command, asked, headers in self.requests
            if command == "GET" and path in (None, asked.partition("?")[0])
        ]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def good(data, *, etag=ETAG, ranges=True, cut=None, pause=None, length=True, lie=False, headers=()):
    """Send the file.

    Args:
        data: the file.
        etag: version of it; None sends none.
        ranges: False ignores them.
        cut: send so many bytes, then break the connection.
        pause: (bytes, seconds): fall silent so long after so many bytes.
        length: False sends no Content-Length.
        lie: True answers a range of whatever version it was asked for.
        headers: further ones.
    """

    def behave(handler):
        start, asked = 0, handler.headers.get("Range")
        if asked and ranges and (lie or handler.headers.get("If-Range") in (None, etag)):
            start = int(asked.removeprefix("bytes=").rstrip("-"))
        body = data[start:]
        handler.send_response(206 if start else 200)
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        if length:
            handler.send_header("Content-Length", str(len(body)))
        for name, value in {**({"ETag": etag} if etag else {}), **dict(headers)}.items():
            handler.send_header(name, value)
        if not length:
            handler.send_header("Connection", "close")
            handler.close_connection = True
        handler.end_headers()
        if handler.command == "HEAD":
            return
        if pause:
            handler.wfile.write(body[: pause[0]])
            handler.wfile.flush()
            time.sleep(pause[1])
            handler.wfile.write(body[pause[0] :])
        elif cut is not None and cut < len(body):
            handler.wfile.write(body[:cut])
            handler.wfile.flush()
            handler.close_connection = True
            handler.connection.shutdown(socket.SHUT_RDWR)
        else:
            handler.wfile.write(body)

    return behave


def slow(data, piece, seconds, *, etag=ETAG):
    """Send the file piece by piece with pauses."""
    inner = good(data, etag=etag)

    def behave(handler):
        write = handler.wfile.write

        def dribble(body):
            for i in range(0, len(body), piece):
                write(body[i : i + piece])
                handler.wfile.flush()
                time.sleep(seconds)

        handler.wfile.write = lambda body: dribble(body) if len(body) > piece else write(body)
        try:
            inner(handler)
        finally:
            handler.wfile.write = write

    return behave


def status(code, **headers):
    """Answer with a status and nothing else."""

    def behave(handler):
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return behave


def moved(location):
    """Send elsewhere."""
    return status(302, Location=location)
