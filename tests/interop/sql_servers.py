"""Trino and Flink, which are asked over HTTP: each takes a statement and gives names, types and rows as JSON has them."""
import json, time, urllib.error, urllib.request
import pyarrow as pa

class SqlError(Exception):
    """A server says that it can't; with the first lines of its reasons."""

class Answer:
    def __init__(self, columns, rows):
        self.columns, self.rows = columns, rows  # columns: (name, type as the server spells it)

    def table(self):
        """As Arrow, of plain types only: numbers, texts and booleans."""
        plain = {"bigint": pa.int64(), "integer": pa.int32(), "int": pa.int32(), "boolean": pa.bool_(), "double": pa.float64()}
        fields = [pa.field(name, plain.get(kind.lower(), pa.string())) for name, kind in self.columns]
        return pa.Table.from_pylist([dict(zip((f.name for f in fields), row)) for row in self.rows], pa.schema(fields))

def ask(url, body=None, method=None, **headers):
    request = urllib.request.Request(url, body, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=180) as reply:
            return json.load(reply)
    except urllib.error.HTTPError as error:
        raise SqlError(error.read().decode(errors="replace")) from error

def quoted(text):
    return "'" + text.replace("'", "''") + "'"

class Trino:
    def __init__(self, server):
        self.server = server

    def add_catalog(self, name, **properties):
        """CREATE CATALOG with properties, in which `__` stands for a dot and `_` for a hyphen."""
        spelled = {key.replace("__", ".").replace("_", "-"): value for key, value in properties.items()}
        pairs = ", ".join(f'"{key}" = {quoted(value)}' for key, value in spelled.items())
        self.sql(f"CREATE CATALOG {name} USING iceberg WITH ({pairs})")

    def sql(self, statement):
        said = ask(f"{self.server}/v1/statement", statement.encode(), **{"X-Trino-User": "test", "X-Trino-Time-Zone": "UTC"})
        columns, rows = [], []
        while True:
            if "error" in said:
                raise SqlError(f"{said['error'].get('errorName')}: {said['error'].get('message')}")
            columns = [(column["name"], column["type"]) for column in said.get("columns", [])] or columns
            rows += said.get("data", [])
            if "nextUri" not in said:
                return Answer(columns, rows)
            said = ask(said["nextUri"], **{"X-Trino-User": "test"})

class Flink:
    """A session of the SQL gateway, whose statements are waited for."""

    def __init__(self, server):
        self.session = f"{server}/v1/sessions/" + ask(f"{server}/v1/sessions", b'{"properties": {}}', **{"Content-Type": "application/json"})["sessionHandle"]
        self.server = server

    def add_catalog(self, name, **properties):
        pairs = ", ".join(f"{quoted(key.replace('__', '.').replace('_', '-'))} = {quoted(value)}" for key, value in {"type": "iceberg", **properties}.items())
        self.sql(f"CREATE CATALOG {name} WITH ({pairs})")

    def sql(self, statement):
        started = ask(f"{self.session}/statements", json.dumps({"statement": statement}).encode(), **{"Content-Type": "application/json"})
        place, columns, rows = f"{self.session}/operations/{started['operationHandle']}/result/0?rowFormat=JSON", [], []
        while place:
            try:
                said = ask(place)
            except SqlError as error:
                raise SqlError(last_cause(str(error))) from error
            if said["resultType"] == "NOT_READY":
                time.sleep(0.1)
                continue
            columns = [(column["name"], column["logicalType"]["type"]) for column in said["results"].get("columns", [])] or columns
            rows += [row["fields"] for row in said["results"].get("data", [])]
            place = f"{self.server}{said['nextResultUri']}" if said["resultType"] != "EOS" and said.get("nextResultUri") else None
        return Answer(columns, rows)

def last_cause(text):
    """Of a stack trace in JSON, what was the reason of all others."""
    try:
        text = "\n".join(json.loads(text)["errors"])
    except (ValueError, KeyError, TypeError):
        pass
    causes = [line.removeprefix("Caused by: ") for line in text.splitlines() if line.startswith("Caused by: ")]
    return (causes or text.strip().splitlines() or [""])[-1]
