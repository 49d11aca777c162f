#!/usr/bin/env python3
"""A small register of managers' transactions, as supervisory authorities have them on the web. Loopback only.

usage: register.py [FILE]      prints its port, then serves until its standard input ends; FILE: transactions.csv beside it

GET /Search?Page=1&Publication.From=2026-11-01   an HTML table, three transactions a page, newest first
GET /Export?Publication.From=2026-11-01          all of them as CSV with semicolons, in UTF-16
POST /transactions                               add lines of CSV
"""
import datetime
import html
import http.server
import sys
import threading
import urllib.parse
from pathlib import Path

FILE = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("transactions.csv")
HEADER, *LINES = FILE.read_text(encoding="utf-8").splitlines()
ROWS_A_PAGE = 3


def published(line):
    return datetime.datetime.strptime(line.split(";")[0], "%d/%m/%Y %H:%M:%S")


def as_html(lines, number):
    row = lambda line, tag: "<tr>" + "".join(f"<{tag}>{html.escape(value)}</{tag}>" for value in line.split(";")) + "</tr>"
    shown = lines[(number - 1) * ROWS_A_PAGE:number * ROWS_A_PAGE]
    body = "\n".join(row(line, "td") for line in shown) or f'<tr><td colspan="{len(HEADER.split(";"))}">There are no transactions.</td></tr>'
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Managers' transactions</title></head>
<body><h1>Managers' transactions</h1>
<table class="table"><thead>{row(HEADER, "th")}</thead><tbody>
{body}
</tbody></table></body></html>"""


class Register(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def reply(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        LINES.extend(self.rfile.read(int(self.headers["Content-Length"])).decode().splitlines())
        self.reply(201, "text/plain", b"")

    def do_GET(self):
        address = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(address.query))
        if address.path == "/robots.txt":
            return self.reply(200, "text/plain", b"User-agent: *\nDisallow: /private/\n")
        since = query.get("Publication.From", "1900-01-01")
        lines = sorted((line for line in LINES if f"{published(line):%Y-%m-%d}" >= since), key=published, reverse=True)
        if address.path == "/Search":
            return self.reply(200, "text/html", as_html(lines, int(query.get("Page", 1))).encode())
        if address.path == "/Export":
            return self.reply(200, "text/csv", "".join(line + "\r\n" for line in [HEADER, *lines]).encode("utf-16"))
        self.reply(404, "text/plain", b"There is no such page.\n")


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Register)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, flush=True)
sys.stdin.read()
