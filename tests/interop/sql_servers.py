"""Trino and Flink, which are asked over HTTP: each takes a statement and gives names, types and rows as JSON has them."""
import base64, decimal, json, time, urllib.error, urllib.request
import pyarrow as pa
from rows import Rows, bytes_text, float_text, is_uuid, uuid_text

class SqlError(Exception):
    """A server says that it can't; with the first lines of its reasons."""

class Answer:
    def __init__(self, columns, rows):
        self.columns, self.rows = columns, rows  # columns: (name, type as the server spells it)

    def bag(self, wanted):
        """As text of exact values; `wanted` is the Arrow schema that they were meant to have."""
        names = [name for name, _ in self.columns]
        kinds = [wanted.field(name).type if name in wanted.names else pa.string() for name in names]
        return Rows(names, [tuple(text_of_json(value, kind) for value, kind in zip(row, kinds)) for row in self.rows])

    def table(self):
        """As Arrow, of plain types only: numbers, texts and booleans."""
        plain = {"bigint": pa.int64(), "integer": pa.int32(), "int": pa.int32(), "boolean": pa.bool_(), "double": pa.float64()}
        fields = [pa.field(name, plain.get(kind.lower(), pa.string())) for name, kind in self.columns]
        return pa.Table.from_pylist([dict(zip((f.name for f in fields), row)) for row in self.rows], pa.schema(fields))

def text_of_json(value, kind):
    """Text of a value as these servers' JSON has it, spelled as rows.text_of does; decimals keep their digits only as texts."""
    if value is None:
        return "NULL"
    if pa.types.is_struct(kind):
        values = value if isinstance(value, dict) else dict(zip((f.name for f in kind), value))
        return "{" + ", ".join(f"{f.name}: {text_of_json(values[f.name], f.type)}" for f in kind) + "}"
    if pa.types.is_map(kind):
        pairs = [f"{text_of_json(k, kind.key_type)}: {text_of_json(v, kind.item_type)}" for k, v in value.items()]
        return "{" + ", ".join(sorted(pairs)) + "}"
    if pa.types.is_list(kind):
        return "[" + ", ".join(text_of_json(item, kind.value_type) for item in value) + "]"
    if is_uuid(kind):
        return uuid_text(value if "-" in value else base64.b64decode(value))
    if pa.types.is_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return bytes_text(base64.b64decode(value))
    if pa.types.is_floating(kind):
        return float_text(float(value), pa.types.is_float32(kind))
    if pa.types.is_decimal(kind):
        return f"{decimal.Decimal(value).quantize(decimal.Decimal(1).scaleb(-kind.scale), context=decimal.Context(prec=76)):f}"
    if pa.types.is_time(kind):
        return with_nanoseconds(value)
    if pa.types.is_timestamp(kind):
        day, _, clock = value.removesuffix(" UTC").removesuffix("Z").replace("T", " ").partition(" ")
        return f"{day}T{with_nanoseconds(clock)}{'Z' if kind.tz else ''}"
    if pa.types.is_boolean(kind):
        return str(value).lower()
    return json.dumps(value, ensure_ascii=False) if pa.types.is_string(kind) else str(value)

def with_nanoseconds(clock):
    """12:00 as 12:00:00.000000000."""
    clock, _, fraction = clock.partition(".")
    return f"{clock}{':00' * (2 - clock.count(':'))}.{fraction:0<9}"

def ask(url, body=None, method=None, **headers):
    request = urllib.request.Request(url, body, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=180) as reply:
            return json.load(reply, parse_float=str)
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
        said = ask(f"{self.server}/v1/statement", statement.encode(), **{"X-Trino-User": "test", "X-Trino-Time-Zone": "UTC",
                                                                                "X-Trino-Client-Capabilities": "PARAMETRIC_DATETIME"})
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
