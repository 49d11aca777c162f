#!/usr/bin/env python3
"""Iceberg's REST compatibility kit against `calve catalog serve`, and through a proxy that strips what commits require.

usage: kit.py CALVE      reads ../shared/rck beside the repository; without it the checks are reported as not run. Needs Java 17 and Maven.
"""
import http.client, http.server, json, os, re, shutil, socketserver, subprocess, sys, tempfile, threading
import matrix

KIT = f"{os.path.dirname(os.path.abspath(__file__))}/../../../shared/rck/rck.sh"


class Stripping(http.server.BaseHTTPRequestHandler):
    """Passes requests on, without the requirements of commits."""
    protocol_version = "HTTP/1.1"
    upstream = None

    def pass_on(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.command == "POST" and b'"requirements"' in body:
            document = json.loads(body)
            for change in document.get("table-changes", [document]):
                change["requirements"] = [r for r in change.get("requirements", []) if r["type"] == "assert-create"]
            body = json.dumps(document).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.upstream)
        headers = {k: v for k, v in self.headers.items() if k.lower() not in ("content-length", "host", "connection")}
        connection.request(self.command, self.path, body, {**headers, "Host": f"127.0.0.1:{self.upstream}"})
        reply = connection.getresponse()
        data = reply.read()
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
    daemon_threads = True


def kit(calve, catalog, strip=False):
    """Passed and failed tests of one run on a fresh catalog."""
    project = tempfile.mkdtemp(prefix="calve_rck_")
    open(f"{project}/calve.yaml", "w").write(f"catalogs: {{lake: {catalog}}}\n")
    serving = subprocess.Popen([calve, "-C", project, "catalog", "serve", "--port", "0"], stdout=subprocess.PIPE, text=True,
                               env={**os.environ, "API_HOST": "127.0.0.1"})
    port = int(re.search(r"http://127.0.0.1:(\d+)", serving.stdout.readline())[1])
    proxy = None
    if strip:
        Stripping.upstream = port
        proxy = Proxy(("127.0.0.1", 0), Stripping)
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        port = proxy.server_port
    run = subprocess.run([KIT, f"http://127.0.0.1:{port}/", f"file://{project}/warehouse", "-Drck.requires-namespace-create=true"],
                         capture_output=True, text=True, env={**os.environ, "RCK_REPORTS": f"{project}/reports"})
    serving.terminate()
    serving.wait()
    if proxy:
        proxy.shutdown()
    counted = {word: int(n) for n, word in re.findall(r"\[ +(\d+) tests (successful|failed|aborted|skipped) +\]", run.stdout)}
    print("strips requirements" if strip else catalog, counted, flush=True)
    if not strip:
        print("".join(line + "\n" for line in run.stdout.splitlines() if "✘" in line), end="")
    shutil.rmtree(project)
    return counted.get("successful", 0), counted.get("failed", -1)


def main():
    calve = os.path.abspath(sys.argv[1])
    if not os.path.exists(KIT):
        for check in (28, 29):
            matrix.record(check, "kit", "known", "the kit is not here: this check was not run")
        print("kit: not here, not run")
        return
    passed, failed = kit(calve, "{type: sql}")
    matrix.record(28, "kit", "equal" if (passed, failed) == (145, 0) else "failed", "" if failed == 0 else f"{failed} tests fail", passed)
    _, stripped = kit(calve, "{type: sql}", strip=True)
    matrix.record(29, "kit", "equal" if stripped >= 3 else "failed", "" if stripped >= 3 else f"only {stripped} tests fail without requirements", max(stripped, 0))
    print(f"kit: {passed} passed, {failed} failed; without what commits require {stripped} fail")
    sys.exit(0 if (passed, failed) == (145, 0) and stripped >= 3 else 1)


if __name__ == "__main__":
    main()
