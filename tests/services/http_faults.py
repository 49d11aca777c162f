#!/usr/bin/env python3
"""A small HTTP server that misbehaves on demand, for the tests of src/io. Loopback only.

It prints its port, then serves until its standard input ends. What the path asks for:
  /echo                 the request as JSON: method, path, headers, body
  /status/N             that status, once for all; ?retry-after=TEXT adds the header
  /flaky/K/N/ID         K times status N, then 200 and how often it was asked
  /count/ID             how often the ID was asked for
  /cut/ID               the head of a reply and half of its body, then the end of the connection
  /cut-head/ID          half of the head of a reply, then the end of the connection
  /swallow/ID           the whole request is read, then the connection ends without a reply
  /second-swallowed/ID  the first request on a connection is answered, the next one read and left without a reply
  /hang/ID              no reply for as long as the client stays
  /drip                 a byte of the body each 50 ms, for as long as the client stays
  /big/N                N bytes
  /gzip                 a reply that is compressed when the client takes that
  /redirect/CODE?URL    a redirect to that address
  /file/NAME            a file of 100,000 digits with byte ranges and an entity tag; NAME says how it is served:
                        plain, norange (ranges ignored), changing (another tag at each request), lying (shorter than said), nohead
"""
import collections
import gzip
import http.server
import json
import select
import sys
import threading
import urllib.parse

COUNTS = collections.Counter()
LOCK = threading.Lock()
DIGITS = "".join(str(n % 10) for n in range(100_000)).encode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    served = 0

    def log_message(self, *args):
        pass

    def count(self, name):
        with LOCK:
            COUNTS[name] += 1
            return COUNTS[name]

    def reply(self, status, body=b"", headers=(), length=None):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def leave(self):
        self.close_connection = True

    def client_stays(self):
        readable, _, _ = select.select([self.connection], [], [], 0.05)
        return not (readable and self.connection.recv(1) == b"")

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.served += 1
        path, _, query = self.path.partition("?")
        parts = path.split("/")[1:]
        getattr(self, "do_" + parts[0].replace("-", "_"))(parts[1:], query, body)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = do_PATCH = serve

    def do_echo(self, parts, query, body):
        seen = {"method": self.command, "path": self.path, "body": body.decode("latin-1"),
                "headers": {name.lower(): value for name, value in self.headers.items()}}
        self.reply(200, json.dumps(seen, sort_keys=True).encode())

    def do_status(self, parts, query, body):
        wait = urllib.parse.parse_qs(query).get("retry-after", [])
        self.reply(int(parts[0]), b"body of the error", [("Retry-After", w) for w in wait])

    def do_flaky(self, parts, query, body):
        times = self.count(parts[2])
        wait = urllib.parse.parse_qs(query).get("retry-after", [])
        if times <= int(parts[0]):
            self.reply(int(parts[1]), b"", [("Retry-After", w) for w in wait])
        else:
            self.reply(200, str(times).encode())

    def do_count(self, parts, query, body):
        self.reply(200, str(COUNTS[parts[0]]).encode())

    def do_cut(self, parts, query, body):
        self.count(parts[0])
        self.reply(200, b"half", length=8)
        self.leave()

    def do_cut_head(self, parts, query, body):
        self.count(parts[0])
        self.wfile.write(b"HTTP/1.1 200 OK\r\nServer: test\r\nContent-Le")
        self.leave()

    def do_swallow(self, parts, query, body):
        self.count(parts[0])
        self.leave()

    def do_second_swallowed(self, parts, query, body):
        times = self.count(parts[0])
        if self.served == 1:
            self.reply(200, str(times).encode())
        else:
            self.leave()

    def do_hang(self, parts, query, body):
        self.count(parts[0])
        while self.client_stays():
            pass
        self.leave()

    def do_drip(self, parts, query, body):
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        try:
            while self.client_stays():
                self.wfile.write(b".")
        except OSError:
            pass
        self.leave()

    def do_big(self, parts, query, body):
        self.reply(200, b"x" * int(parts[0]))

    def do_gzip(self, parts, query, body):
        if "gzip" in self.headers.get("Accept-Encoding", ""):
            self.reply(200, gzip.compress(b"was compressed"), [("Content-Encoding", "gzip")])
        else:
            self.reply(200, b"was plain")

    def do_redirect(self, parts, query, body):
        self.reply(int(parts[0]), b"", [("Location", query)])

    def do_file(self, parts, query, body):
        how = parts[0]
        times = self.count("file-" + how)
        tag = '"%d"' % (times if how == "changing" else 7)
        headers = [("ETag", tag), ("Last-Modified", "Sat, 21 Nov 2026 08:15:00 GMT")]
        if self.command == "HEAD" and how == "nohead":
            return self.reply(405)
        if self.headers.get("If-Match", tag) != tag:
            return self.reply(412)
        asked = self.headers.get("Range", "")
        if not asked.startswith("bytes=") or how == "norange":
            if how == "norange":
                headers = []
            return self.reply(200, DIGITS, headers)
        first, _, last = asked[6:].partition("-")
        first, last = int(first), min(int(last or len(DIGITS)), len(DIGITS) - 1)
        if first >= len(DIGITS):
            return self.reply(416, b"", [("Content-Range", "bytes */%d" % len(DIGITS))])
        headers.append(("Content-Range", "bytes %d-%d/%d" % (first, last, len(DIGITS))))
        piece = DIGITS[first:last + 1]
        self.reply(206, piece[:-1] if how == "lying" else piece, headers)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # clients that leave early are what these tests are about


def main():
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
