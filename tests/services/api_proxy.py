#!/usr/bin/env python3
"""A proxy before a REST service, which signs in, wraps and misbehaves as the path asks for. Loopback only.

usage: api_proxy.py UPSTREAM_PORT      prints its port, then serves until its standard input ends

A path is any number of the words below, then the path of the service behind:
  plain         as it is
  faulty-SEED   a third of all requests is answered with 429, 500, 503, late, in half, or not at all; the seed decides which
  basic         needs ada and secret           bearer   needs the token letmein
  key           needs X-API-Key k3y-k3y        query    needs api_key=k3y-k3y
  oauth2        needs a token of POST /token (app, s3cret-s3cret), which counts for three requests
  cursor        {"data": [...], "next_cursor": ...} for ?cursor=...&limit=...
  offset        {"items": [...], "total": ...} for ?offset=...&limit=...
  body          as offset, with offset and limit in the body of a POST
  circle        as cursor, but after the third page comes the first again
  ends          a page without rows is answered with 404
  deaf          the parameter _page is not heard
  grows         as offset, and a row more in total with each request
  shrinks       as offset, and the last row is missing while the total stays
  elsewhere     links lead to another host
  limited       429 with Retry-After: 3600
PUT /_raw/NAME keeps a body that GET .../NAME is answered with. GET /_requests tells how many requests there were.
"""
import http.client
import http.server
import json
import random
import sys
import threading
import time
import urllib.parse

LOCK = threading.Lock()
RAW = {}
TOKENS = {}
TURNS = {}
REQUESTS = [0]
WORDS = {"plain", "basic", "bearer", "key", "query", "oauth2", "cursor", "offset", "body", "circle", "ends", "deaf", "grows", "shrinks", "elsewhere", "limited"}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def reply(self, status, body=b"{}", headers=(), length=None):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if not any(name.lower() == "content-type" for name, _ in headers):
            self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def serve(self):
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path, _, query = self.path.partition("?")
        self.query = urllib.parse.parse_qsl(query, keep_blank_values=True)
        if path == "/_requests":
            return self.reply(200, str(REQUESTS[0]).encode())
        if path.startswith("/_raw/"):
            RAW[path.removeprefix("/_raw/")] = self.body
            return self.reply(201)
        if path == "/token":
            return self.give_token()
        with LOCK:
            REQUESTS[0] += 1
        words = []
        parts = path.split("/")[1:]
        while parts and (parts[0] in WORDS or parts[0].startswith("faulty-")):
            words.append(parts.pop(0))
        self.prefix = "".join("/" + word for word in words)
        self.rest = "/" + "/".join(parts)
        for word in words:
            if word.startswith("faulty-") and self.misbehave(word):
                return
            if word in ("basic", "bearer", "key", "query", "oauth2") and not getattr(self, "may_" + word)():
                return self.reply(401, b'{"error": {"message": "who are you? not ' + self.headers.get("Authorization", "nobody").encode() + b'"}}')
        if "limited" in words:
            return self.reply(429, b'{"message": "come back later"}', [("Retry-After", "3600")])
        if parts and parts[-1] in RAW:
            return self.reply(200, RAW[parts[-1]])
        for word in ("cursor", "circle", "offset", "body", "grows", "shrinks"):
            if word in words:
                return self.wrap(word)
        if "deaf" in words:
            self.query = [(name, value) for name, value in self.query if name != "_page"]
            self.query.append(("_limit", "5"))
        status, headers, body = self.ask(self.query)
        if "ends" in words and json.loads(body) == []:
            return self.reply(404, b'{"detail": "Invalid page."}')
        if "elsewhere" in words:
            headers = [(name, value.replace("127.0.0.1", "example.invalid")) for name, value in headers]
        self.give(status, body, headers)

    do_GET = do_POST = do_PUT = serve

    def ask(self, query, method=None):
        upstream = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=60)
        path = self.rest + ("?" + urllib.parse.urlencode(query) if query else "")
        kept = {name: value for name, value in self.headers.items() if name.lower() in ("content-type", "host")}
        upstream.request(method or self.command, path, body=self.body or None, headers=kept)
        answer = upstream.getresponse()
        body = answer.read()
        upstream.close()
        host = "http://" + self.headers.get("Host", "")
        headers = [(name, value.replace(host + "/", host + self.prefix + "/")) for name, value in answer.getheaders()
                   if name.lower() in ("link", "x-total-count", "content-type")]
        return answer.status, headers, body

    def misbehave(self, word):
        """Whether this request was answered in some bad way."""
        with LOCK:
            chance = TURNS.setdefault(word, random.Random(int(word.removeprefix("faulty-"))))
            turn = chance.randrange(18)
            self.cut = chance.random()
        self.half = turn in (3, 4)
        self.unsaid = turn == 4
        if turn == 0:
            self.reply(429, b'{"message": "slow down"}', [("Retry-After", "0")])
        elif turn == 1:
            self.reply(500, b"<html>oops</html>", [("Content-Type", "text/html")])
        elif turn == 2:
            self.reply(503)
        elif turn == 5:
            self.close_connection = True
        elif turn == 6:
            time.sleep(0.02)
        return turn in (0, 1, 2, 5)

    def give(self, status, body, headers):
        if not getattr(self, "half", False) or status != 200:
            return self.reply(status, body, headers)
        piece = body[:1 + int(self.cut * (len(body) - 2))]
        self.half = False
        self.close_connection = True
        if not self.unsaid:
            return self.reply(status, piece, headers, length=len(body))
        # Without a length, the end of the connection is the end of the reply.
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(piece)

    def wrap(self, word):
        asked = dict(self.query)
        if word == "body":
            asked = json.loads(self.body or b"{}")
            self.body = b""
        start, limit = int(asked.get("cursor") or asked.get("offset") or 0), int(asked.get("limit", 10))
        rest = [(name, value) for name, value in self.query if name not in ("cursor", "offset", "limit")]
        status, _, body = self.ask(rest + [("_start", start), ("_limit", limit)], "GET")
        if status != 200:
            return self.give(status, body, [])
        rows = json.loads(body)
        total = len(json.loads(self.ask(rest, "GET")[2]))
        if word in ("cursor", "circle"):
            following = str(start + len(rows)) if start + len(rows) < total else None
            if word == "circle" and start >= 2 * limit:
                following = str(limit)
            return self.give(200, json.dumps({"data": rows, "next_cursor": following}).encode(), [])
        if word == "grows":
            total += start
        if word == "shrinks":
            rows = [row for at, row in enumerate(rows) if start + at != total - 1]
        self.give(200, json.dumps({"items": rows, "total": total}).encode(), [])

    def may_basic(self):
        return self.headers.get("Authorization") == "Basic YWRhOnNlY3JldA=="

    def may_bearer(self):
        return self.headers.get("Authorization") == "Bearer letmein"

    def may_key(self):
        return self.headers.get("X-API-Key") == "k3y-k3y"

    def may_query(self):
        given = dict(self.query).get("api_key")
        self.query = [(name, value) for name, value in self.query if name != "api_key"]
        return given == "k3y-k3y"

    def may_oauth2(self):
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        with LOCK:
            TOKENS[token] = TOKENS.get(token, 0) - 1
            return TOKENS[token] >= 0

    def give_token(self):
        form = dict(urllib.parse.parse_qsl(self.body.decode()))
        if form.get("client_id") != "app" or form.get("client_secret") != "s3cret-s3cret" or form.get("grant_type") != "client_credentials":
            return self.reply(401, b'{"error": "invalid_client", "error_description": "no such client"}')
        with LOCK:
            token = f"token-{len(TOKENS)}"
            TOKENS[token] = 3
        self.reply(200, json.dumps({"access_token": token, "token_type": "Bearer", "expires_in": 3600}).encode())


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass  # clients that leave early are what these tests are about


def main():
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
