#!/usr/bin/env python3
"""A mail server and a stand-in for Slack's two doors, on loopback: what they get, they write to files in the folder that is named.

usage: notice_sinks.py FOLDER      runs until it is ended

Mails go to mails.txt. Posts to /hook go to hook.txt, posts to /chat.postMessage to chat.txt; a bearer token other than xoxb-right is refused as
Slack does: 200 with ok false.
"""
import asyncio
import http.server
import json
import os
import sys
import threading


class Slack(http.server.BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        name = "hook.txt" if self.path == "/hook" else "chat.txt"
        with open(name, "ab") as out:
            out.write(body + b"\n")
        right = self.path == "/hook" or self.headers.get("Authorization") == "Bearer xoxb-right"
        reply = json.dumps({"ok": True} if right else {"ok": False, "error": "invalid_auth"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)


async def mail(reader, writer):
    def say(text):
        writer.write(text.encode() + b"\r\n")
    say("220 sink ready")
    while line := await reader.readline():
        verb = line[:4].upper()
        if verb == b"DATA":
            say("354 go on")
            with open("mails.txt", "ab") as out:
                while (data := await reader.readline()) not in (b".\r\n", b""):
                    out.write(data)
            say("250 taken")
        elif verb == b"QUIT":
            say("221 bye")
            break
        else:
            say("250 fine")
    writer.close()


async def main():
    slack = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slack)
    threading.Thread(target=slack.serve_forever, daemon=True).start()
    server = await asyncio.start_server(mail, "127.0.0.1", 0)
    print(f"ready SLACK_PORT={slack.server_port} SMTP_PORT={server.sockets[0].getsockname()[1]}", flush=True)
    await asyncio.Event().wait()


os.chdir(sys.argv[1])
asyncio.run(main())
