#!/usr/bin/env python3
"""A web site for tests, on loopback only: pages that a test puts there, and some that misbehave.

usage: site.py      prints its two ports, then serves until its standard input ends

PUT /_page/PATH            keep a body, which GET /PATH is answered with; X-Header-NAME: VALUE of the PUT becomes a header of the answer
DELETE /_page/PATH         forget it
POST /_rows/NAME           add rows, given as JSON, to a table; GET /rows/NAME shows it, 1,000 rows a page, with links to the next
GET /_requests/PREFIX      the requests whose path begins so, a line each: monotonic milliseconds, method, path, User-Agent, status
GET /faulty-SEED/PATH      as /PATH, but a third of all requests is answered with 429, 503 or not at all; the seed decides which
GET /limited/PATH          429 with Retry-After: 3600
GET /keyed/PATH            as /PATH for who sends X-Key: letmein, else 401
GET /slow/PATH             as /PATH, after half a second
GET /busy/PATH             429 with Retry-After: 1 the first time, then as /PATH
GET /moved/PATH            a redirect to /PATH
GET /away/PATH             a redirect to the same path of the other site, which runs on a port of its own
A page that was put with X-Header-X-Status is answered with that status. Each answer of a page has an ETag of its content, and If-None-Match is answered with 304. Pages under /dated/ have Last-Modified in its place.
"""
import email.utils
import hashlib
import html
import http.server
import json
import random
import sys
import threading
import time

LOCK = threading.Lock()
PAGES = {}
ROWS = {}
TURNS = {}
REQUESTS = []
PORTS = []
ROWS_A_PAGE = 1000
HOP = {"host", "content-length", "connection", "accept", "user-agent", "accept-encoding", "content-type", "expect"}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def reply(self, status, body=b"", headers=()):
        with LOCK:
            if not self.path.startswith("/_"):
                REQUESTS.append((time.monotonic_ns() // 1_000_000, self.command, self.path, self.headers.get("User-Agent", ""), status))
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if status != 304 and self.command != "HEAD":
            self.wfile.write(body)

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.startswith("/_page/"):
            return self.keep(self.path.removeprefix("/_page"), body)
        if self.path.startswith("/_rows/"):
            with LOCK:
                ROWS.setdefault(self.path.removeprefix("/_rows/"), []).extend(json.loads(body))
            return self.reply(201)
        if self.path.startswith("/_requests"):
            prefix = self.path.removeprefix("/_requests")
            with LOCK:
                lines = ["\t".join(map(str, request)) for request in REQUESTS if request[2].startswith(prefix)]
            return self.reply(200, "".join(line + "\n" for line in lines).encode())
        word, _, rest = self.path[1:].partition("/")
        if word.startswith("faulty-"):
            return self.misbehave(word) or self.give("/" + rest)
        if word == "limited":
            return self.reply(429, b"come back later", [("Retry-After", "3600")])
        if word == "keyed" and self.headers.get("X-Key") != "letmein":
            return self.reply(401, b"who are you?")
        if word == "slow":
            time.sleep(0.5)
        if word == "busy":
            with LOCK:
                first = TURNS.setdefault(self.path, 0) == 0
                TURNS[self.path] += 1
            if first:
                return self.reply(429, b"come back soon", [("Retry-After", "1")])
        if word in ("keyed", "slow", "busy"):
            return self.give("/" + rest)
        if word == "moved":
            return self.reply(302, b"", [("Location", "/" + rest)])
        if word == "away":
            other = PORTS[1] if self.server.server_port == PORTS[0] else PORTS[0]
            return self.reply(301, b"", [("Location", f"http://127.0.0.1:{other}/{rest}")])
        self.give(self.path)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = serve

    def keep(self, path, body):
        with LOCK:
            if self.command == "DELETE":
                PAGES.pop((self.server.server_port, path), None)
            else:
                headers = [(name.lower().removeprefix("x-header-"), value) for name, value in self.headers.items() if name.lower().startswith("x-header-")]
                PAGES[self.server.server_port, path] = (body, headers)
        self.reply(201)

    def give(self, path):
        with LOCK:
            page = PAGES.get((self.server.server_port, path))
        if path.startswith("/rows/"):
            page = self.table(path)
        if page is None:
            return self.reply(404, b"<html><p>There is no such page.</p></html>", [("Content-Type", "text/html")])
        body, headers = page
        headers = list(headers)
        if not any(name == "content-type" for name, _ in headers):
            headers.append(("Content-Type", "text/html"))
        for name, value in headers:
            if name == "x-status":
                return self.reply(int(value), body, headers)
        if any(name == "x-silent" for name, _ in headers):
            return self.reply(200, body, headers)
        if path.startswith("/dated/"):
            # A time of its own for each content.
            since = email.utils.formatdate(1_500_000_000 + int(hashlib.sha256(body).hexdigest()[:7], 16), usegmt=True)
            headers.append(("Last-Modified", since))
            unchanged = self.headers.get("If-Modified-Since") == since
        else:
            tag = '"' + hashlib.sha256(body).hexdigest()[:16] + '"'
            headers.append(("ETag", tag))
            unchanged = self.headers.get("If-None-Match") == tag
        self.reply(304 if unchanged else 200, b"" if unchanged else body, headers)

    def table(self, path):
        path, _, query = path.partition("?page=")
        name = path.removeprefix("/rows/")
        with LOCK:
            rows = list(ROWS[name]) if name in ROWS else None
        if rows is None:
            return None
        number = int(query or 1)
        shown = rows[(number - 1) * ROWS_A_PAGE:number * ROWS_A_PAGE]
        cell = lambda value: "<td>" + ("" if value is None else html.escape(value).replace("\n", "<br>")) + "</td>"
        lines = "".join("<tr>" + "".join(map(cell, row)) + "</tr>\n" for row in shown)
        link = f'<a class="next" href="{name}?page={number + 1}">next</a>' if number * ROWS_A_PAGE < len(rows) else ""
        head = "<tr><th>id</th><th>price</th><th>day</th><th>at</th><th>name</th></tr>"
        return f'<!DOCTYPE html><html><head><meta charset="utf-8"></head><body><table>{head}{lines}</table>{link}</body></html>'.encode(), []

    def misbehave(self, word):
        """Whether this request was answered in some bad way."""
        with LOCK:
            turn = TURNS.setdefault(word, random.Random(int(word.removeprefix("faulty-")))).randrange(9)
        if turn == 0:
            self.reply(429, b"", [("Retry-After", "0")])
        elif turn == 1:
            self.reply(503)
        elif turn == 2:
            self.close_connection = True
        return turn < 3


def main():
    servers = [http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) for _ in range(2)]
    for server in servers:
        server.daemon_threads = True
        PORTS.append(server.server_port)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print(*PORTS, flush=True)
    sys.stdin.read()


main()
