#!/usr/bin/env python3
"""Commit snapshots to a REST catalog and time each commit, from connect to the last byte of the reply.

usage: commit_load.py URI --clients N --tables N [--commits N] [--seconds S] [--warehouse W]

Clients on tables of their own send requests that were built before the clock starts: each table's chain of snapshots is known. Clients
that share a table read what the winner left and try again, as every writer does. The snapshots hold no files.
Prints one JSON line: commits_s over the whole run, p50_ms and p99_ms of commits that succeeded, conflicts, and the commits of each client.
"""
import argparse, json, multiprocessing, random, socket, time, urllib.parse, uuid

SCHEMA = {"type": "struct", "schema-id": 0, "fields": [{"id": 1, "name": "a", "type": "long", "required": False}]}
PROPERTIES = {"write.metadata.delete-after-commit.enabled": "true", "write.metadata.previous-versions-max": "10"}


class Connection:
    """One kept connection that sends bytes and gives status and body."""

    def __init__(self, uri):
        self.socket = socket.create_connection((uri.hostname, uri.port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest = b""

    def send(self, request):
        self.socket.sendall(request)
        data = self.rest
        while b"\r\n\r\n" not in data:
            data += self.more()
        head, data = data.split(b"\r\n\r\n", 1)
        fields = {k.strip().lower(): v.strip() for k, v in (line.split(b":", 1) for line in head.split(b"\r\n")[1:])}
        if fields.get(b"transfer-encoding") == b"chunked":
            body = []
            while True:
                while b"\r\n" not in data:
                    data += self.more()
                size, data = data.split(b"\r\n", 1)
                size = int(size, 16)
                while len(data) < size + 2:
                    data += self.more()
                body.append(data[:size])
                data = data[size + 2:]
                if size == 0:
                    break
            self.rest, body = data, b"".join(body)
        else:
            size = int(fields.get(b"content-length", b"0"))
            parts, have = [data], len(data)
            while have < size:
                parts.append(self.more())
                have += len(parts[-1])
            data = b"".join(parts)
            body, self.rest = data[:size], data[size:]
        return int(head.split(b" ", 2)[1]), body

    def more(self):
        data = self.socket.recv(1 << 18)
        if not data:
            raise ConnectionError("the server hung up")
        return data


def request(uri, method, path, body=None):
    text = json.dumps(body).encode() if body is not None else b""
    head = f"{method} {uri.path.rstrip('/')}{path} HTTP/1.1\r\nHost: {uri.hostname}:{uri.port}\r\nContent-Type: application/json\r\n"
    return head.encode() + b"Content-Length: %d\r\n\r\n" % len(text) + text


def commit(uri, path, table, parent, sequence, snapshot, moment):
    body = {"snapshot-id": snapshot, "sequence-number": sequence, "timestamp-ms": moment, "manifest-list": table["location"] + "/metadata/none.avro",
            "summary": {"operation": "append", "added-records": "0", "total-records": "0"}, "schema-id": 0}
    if parent is not None:
        body["parent-snapshot-id"] = parent
    return request(uri, "POST", path, {
        "requirements": [{"type": "assert-table-uuid", "uuid": table["table-uuid"]},
                         {"type": "assert-ref-snapshot-id", "ref": "main", "snapshot-id": parent}],
        "updates": [{"action": "add-snapshot", "snapshot": body},
                    {"action": "set-snapshot-ref", "ref-name": "main", "type": "branch", "snapshot-id": snapshot}]})


def state(metadata):
    head = metadata.get("current-snapshot-id", -1)
    return (None if head in (-1, None) else head), metadata.get("last-sequence-number", 0)


def own_tables(uri, tables, commits, seed):
    """Requests for tables of one's own, the tables in turn."""
    chance = random.Random(seed)
    now = int(time.time() * 1000)
    chains = []
    for path, table in tables:
        parent, sequence, chain = *state(table), []
        for i in range(commits):
            snapshot = chance.getrandbits(62)
            chain.append(commit(uri, path, table, parent, sequence + i + 1, snapshot, now + i))
            parent = snapshot
        chains.append(chain)
    return [request for turn in zip(*chains) for request in turn]


def send_all(uri, requests, seconds, start, report):
    connection, times = Connection(uri), []
    start.wait()
    until = time.monotonic() + seconds
    for one in requests:
        began = time.monotonic()
        if began > until:
            break
        status, body = connection.send(one)
        times.append(time.monotonic() - began)
        assert status == 200, (status, body[:300])
    report.put((times, 0))


def share_table(uri, path, table, commits, seconds, seed, start, report):
    connection, times, conflicts, chance = Connection(uri), [], 0, random.Random(seed)
    parent, sequence = state(table)
    start.wait()
    until = time.monotonic() + seconds
    began = time.monotonic()
    while len(times) < commits and time.monotonic() < until:
        snapshot = chance.getrandbits(62)
        status, body = connection.send(commit(uri, path, table, parent, sequence + 1, snapshot, int(time.time() * 1000)))
        if status == 200:
            times.append(time.monotonic() - began)
            began = time.monotonic()
        else:
            assert status == 409, (status, body[:300])
            conflicts += 1
            status, body = connection.send(request(uri, "GET", path))
        parent, sequence = state(json.loads(body)["metadata"])
    report.put((times, conflicts))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("uri")
    parser.add_argument("--clients", type=int, required=True)
    parser.add_argument("--tables", type=int, required=True)
    parser.add_argument("--commits", type=int, default=500, help="for each table, or for each client where they share one")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--warehouse", default="")
    args = parser.parse_args()
    uri = urllib.parse.urlparse(args.uri)
    connection = Connection(uri)
    status, body = connection.send(request(uri, "GET", "/v1/config" + (f"?warehouse={args.warehouse}" if args.warehouse else "")))
    assert status == 200, body
    config = json.loads(body)
    prefix = {**config.get("defaults", {}), **config.get("overrides", {})}.get("prefix")
    root = "/v1" + ("/" + urllib.parse.quote(urllib.parse.unquote(prefix), safe="") if prefix else "")
    namespace = "bench" + uuid.uuid4().hex[:6]
    status, body = connection.send(request(uri, "POST", f"{root}/namespaces", {"namespace": [namespace], "properties": {}}))
    assert status == 200, body
    tables = []
    for i in range(args.tables):
        status, body = connection.send(request(uri, "POST", f"{root}/namespaces/{namespace}/tables",
                                               {"name": f"t{i}", "schema": SCHEMA, "stage-create": False, "properties": PROPERTIES}))
        assert status == 200, body
        tables.append((f"{root}/namespaces/{namespace}/tables/t{i}", json.loads(body)["metadata"]))
    start, report, clients = multiprocessing.Barrier(args.clients + 1), multiprocessing.Queue(), []
    for i in range(args.clients):
        if args.clients > args.tables:
            what = (share_table, (uri, *tables[i % args.tables], args.commits, args.seconds, i, start, report))
        else:
            requests = own_tables(uri, tables[i::args.clients], args.commits, i)
            what = (send_all, (uri, requests, args.seconds, start, report))
        clients.append(multiprocessing.Process(target=what[0], args=what[1]))
    for client in clients:
        client.start()
    start.wait()
    began = time.monotonic()
    reports = [report.get() for _ in clients]
    took = time.monotonic() - began
    for client in clients:
        client.join()
    times = sorted(t for ts, _ in reports for t in ts)
    of_client = [len(ts) for ts, _ in reports]
    print(json.dumps({"clients": args.clients, "tables": args.tables, "commits": len(times), "commits_s": round(len(times) / took, 1),
                      "p50_ms": round(times[len(times) // 2] * 1e3, 2), "p99_ms": round(times[int(len(times) * .99)] * 1e3, 2),
                      "conflicts": sum(c for _, c in reports), "fewest_of_a_client": min(of_client), "most_of_a_client": max(of_client)}))


main()
