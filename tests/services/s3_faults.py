#!/usr/bin/env python3
"""A proxy that stands before a real S3 service and plays its bad days, for tests. Loopback only.

    proxy = S3Faults("http://127.0.0.1:8333")          proxy.url is where the program is sent
    proxy.arm(Fault("error_after", first=3, times=1))   the third request from now on is applied, and answered with 500
    proxy.disarm()                                      how many requests were hit
    proxy.log                                           since it was armed: each request's method, path, headers, body, hit

Kinds of faults, by what the service and the client see:
  slow_down      503 SlowDown; nothing is applied
  error_before   500, or another `status`; nothing is applied
  error_after    500, or another `status`; the request is applied
  no_reply       the request is applied, the connection ends without a reply
  cut_request    half of the request reaches the service, then both connections end
  cut_reply      the request is applied; half of the reply's body comes, then the connection ends
  cut_head       the request is applied; half of the reply's head comes, then the connection ends
  short_reply    the request is applied; half of the reply's body comes, and its Content-Length says that this is all
  late           the reply comes late
  doubled        the request reaches the service twice; the second reply is the client's
"""
import http.client
import http.server
import socket
import threading
import time
import types
import urllib.parse

KINDS = ["slow_down", "error_before", "error_after", "no_reply", "cut_request", "cut_reply", "cut_head", "short_reply", "late", "doubled"]
SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
INTERNAL = b"<Error><Code>InternalError</Code><Message>We encountered an internal error. Please try again.</Message></Error>"
# What belongs to one connection and not to the request.
HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


class Fault:
    """Hit `times` requests of the methods from the `first` on; `wait` is for late ones, in seconds, `status` for errors."""
    def __init__(self, kind, first=1, times=1, methods=(), wait=0.3, status=500):
        self.kind, self.first, self.times, self.methods, self.wait, self.status = kind, first, times, methods, wait, status
        self.seen = self.hits = 0

    def bites(self, method):
        if self.methods and method not in self.methods:
            return False
        self.seen += 1
        if self.seen < self.first or self.hits >= self.times:
            return False
        self.hits += 1
        return True


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # a reply leaves in one piece
    upstream = None

    def log_message(self, *args):
        pass

    def ask(self, body):
        """Send the request on as it came, but for what belongs to the connection."""
        if self.upstream is None:
            self.upstream = http.client.HTTPConnection(*self.server.service)
        self.upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in HOP:
                self.upstream.putheader(name, value)
        if body or self.command in ("PUT", "POST"):
            self.upstream.putheader("Content-Length", str(len(body)))
        self.upstream.endheaders(body or None)
        reply = self.upstream.getresponse()
        return reply.status, reply.getheaders(), reply.read()

    def answer(self, status, headers, body, length=None):
        self.send_response_only(status)
        said = None
        for name, value in headers:
            if name.lower() == "content-length":
                said = value
            elif name.lower() not in HOP:
                self.send_header(name, value)
        if self.command == "HEAD" and said is not None:
            self.send_header("Content-Length", said)
        elif status not in (204, 304):
            self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def leave(self):
        """End both connections at once."""
        self.close_connection = True
        if self.upstream is not None:
            self.upstream.close()
            self.upstream = None

    def half_a_request(self, body):
        with socket.create_connection(self.server.service) as service:
            head = f"{self.command} {self.path} HTTP/1.1\r\n" + "".join(f"{n}: {v}\r\n" for n, v in self.headers.items()) + "\r\n"
            service.sendall(head.encode("latin-1") + body[:len(body) // 2] if body else head.encode("latin-1")[:len(head) // 2])

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.server.faults.draw(self.command, self.path, self.headers, body)
        try:
            self.play(fault, body)
        except (OSError, http.client.HTTPException):
            self.leave()

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = serve

    def play(self, fault, body):
        kind = fault.kind if fault else ""
        if kind == "slow_down":
            return self.answer(503, [("Content-Type", "application/xml")], SLOW_DOWN)
        if kind == "error_before":
            return self.answer(fault.status, [("Content-Type", "application/xml")], INTERNAL)
        if kind == "cut_request":
            self.half_a_request(body)
            return self.leave()
        if kind == "late":
            time.sleep(fault.wait)
        status, headers, reply = self.ask(body)
        if kind == "doubled":
            status, headers, reply = self.ask(body)
        if kind == "error_after":
            return self.answer(fault.status, [("Content-Type", "application/xml")], INTERNAL)
        if kind == "no_reply" or (kind == "cut_reply" and not reply):
            return self.leave()
        if kind == "cut_head":
            head = f"HTTP/1.1 {status} OK\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers)
            self.wfile.write(head.encode("latin-1")[:max(len(head) // 2, head.index("\n") + 1)])
            self.wfile.flush()
            return self.leave()
        if kind == "short_reply":
            return self.answer(status, headers, reply[:len(reply) // 2])
        if kind == "cut_reply":
            self.answer(status, headers, reply[:len(reply) // 2], length=len(reply))
            self.wfile.flush()
            return self.leave()
        self.answer(status, headers, reply)

    def finish(self):
        try:
            super().finish()
        except OSError:
            pass
        if self.upstream is not None:
            self.upstream.close()


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # clients that leave early are what these tests are about


class S3Faults:
    def __init__(self, service, handler=Handler):
        place = urllib.parse.urlsplit(service)
        self.server = Server(("127.0.0.1", 0), handler)
        self.server.service, self.server.faults = (place.hostname, place.port), self
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.fault, self.requests, self.log, self.lock = None, 0, [], threading.Lock()
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def arm(self, fault):
        with self.lock:
            self.fault, self.requests, self.log = fault, 0, []

    def disarm(self):
        """Gives how many requests were hit, and how many there were."""
        with self.lock:
            hits = self.fault.hits if self.fault else 0
            self.fault = None
            return hits, self.requests

    def draw(self, method, path, headers, body):
        with self.lock:
            self.requests += 1
            bites = self.fault is not None and self.fault.bites(method)
            self.log.append(types.SimpleNamespace(method=method, path=path, headers=headers, body=body, hit=bites))
            return self.fault if bites else None
