#!/usr/bin/env python3
"""A proxy before a real S3 service that takes a key for a while only, for tests. Loopback only.

    proxy = ExpiringKeys("http://127.0.0.1:8333")     proxy.url is where the program is sent
    proxy.lives["first"] = 3                            three requests are let through with that key, then it has expired
    proxy.refused, proxy.passed                         how often a key was refused, and let through
"""
import collections
import http.client
import http.server
import re
import threading
import urllib.parse

EXPIRED = b"<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>"
HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def reply(self, status, headers, body, length):
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in HOP and name.lower() not in ("server", "date"):
                self.send_header(name, value)
        self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def serve(self):
        proxy = self.server.proxy
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        found = re.search(r"Credential=([^/]+)/", self.headers.get("Authorization", ""))
        if not proxy.lets_in(found.group(1) if found else "nobody", self.command):
            return self.reply(400, [("Content-Type", "application/xml")], EXPIRED, str(len(EXPIRED)))
        upstream = http.client.HTTPConnection(proxy.host, timeout=60)
        upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in HOP:
                upstream.putheader(name, value)  # Host is signed: it stays
        upstream.putheader("Content-Length", str(len(body)))
        upstream.endheaders(body)
        answer = upstream.getresponse()
        content = answer.read()
        length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(content))
        self.reply(answer.status, answer.getheaders(), content, length or "0")
        upstream.close()

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = serve


class ExpiringKeys:
    def __init__(self, endpoint):
        self.host = urllib.parse.urlsplit(endpoint).netloc
        self.lives = {}
        self.passed, self.refused = collections.Counter(), collections.Counter()
        self.on_expiry = lambda key: None  # when a key was let through for the last time
        self.on_pass = lambda key: None  # each time, outside the lock
        self.lock = threading.Lock()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.proxy = self
        self.url = "http://127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def lets_in(self, key, command):
        with self.lock:
            left = self.lives.get(key, 0)
            if left <= 0:
                self.refused[key] += 1
                return False
            self.lives[key] = left - 1
            self.passed[key] += 1
            if left == 1:
                self.on_expiry(key)
        self.on_pass(key)
        return True
