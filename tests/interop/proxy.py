"""A proxy between a client and a catalog server: passes requests on, changed or not, and shows every reply to whoever asks."""
import http.client, http.server, socketserver, threading


class Passing(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def pass_on(self):
        body = self.server.change(self.command, self.rfile.read(int(self.headers.get("Content-Length", 0))))
        upstream = f"127.0.0.1:{self.server.upstream}"
        connection = http.client.HTTPConnection(upstream)
        headers = {k: v for k, v in self.headers.items() if k.lower() not in ("content-length", "host", "connection")}
        connection.request(self.command, self.path, body, {**headers, "Host": upstream})
        reply = connection.getresponse()
        data = reply.read()
        self.server.saw(self.command, self.path, reply.status, reply.getheader("Content-Type"), data)
        self.send_response(reply.status)
        for name, value in reply.getheaders():
            if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)
        connection.close()

    do_GET = do_POST = do_HEAD = do_DELETE = pass_on

    def log_message(self, *arguments):
        pass


class Proxy(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """`change(method, body)` gives the body that is passed on; `saw(method, path, status, content type, body)` is called with every reply,
    from several threads at once."""
    daemon_threads = True

    def __init__(self, upstream, change=lambda method, body: body, saw=lambda *reply: None):
        super().__init__(("127.0.0.1", 0), Passing)
        self.upstream, self.change, self.saw = upstream, change, saw
        threading.Thread(target=self.serve_forever, daemon=True).start()
