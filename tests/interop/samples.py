"""Values that are hard on writers and readers, by Iceberg type: ends of ranges, before 1970, NaN and -0.0, empty and odd texts, NULL."""
import datetime as dt, decimal, random, struct, uuid
import pyarrow as pa

D = decimal.Decimal
NAN, INF = float("nan"), float("inf")
UTC = dt.timezone.utc

def decimals(precision, scale):
    most = D(10**precision - 1).scaleb(-scale, decimal.Context(prec=76))
    one = D(1).scaleb(-scale)
    return [D(0).quantize(one), most, most.copy_negate(), one, one.copy_negate(), D(-128).scaleb(-scale), D(127).scaleb(-scale), None]

def moments(zone):
    texts = ["1970-01-01T00:00:00", "1969-12-31T23:59:59.999999", "1969-12-31T23:00:00", "1582-10-10T00:00:00", "0001-01-01T00:00:00",
             "9999-12-31T23:59:59.999999", "2024-02-29T12:34:56.123456"]
    return [dt.datetime.fromisoformat(t).replace(tzinfo=zone) for t in texts] + [None]

NANOSECONDS = [0, -1, 1, 1709210096123456789, -2208988800000000001, 9223372036854775807, -9223372036854775807, None]

# Iceberg type: (Arrow type, eight values, the last NULL)
TYPES = {
    "boolean": (pa.bool_(), [True, False, True, False, True, False, True, None]),
    "int": (pa.int32(), [0, 1, -1, 2**31 - 1, -2**31, 34, -35, None]),
    "long": (pa.int64(), [0, 1, -1, 2**63 - 1, -2**63, 34, 2**31, None]),
    "float": (pa.float32(), [0.0, -0.0, NAN, INF, -INF, 1.5, 1e-45, None]),
    "double": (pa.float64(), [0.0, -0.0, NAN, INF, -INF, 0.1, 5e-324, None]),
    "decimal(2, 1)": (pa.decimal128(2, 1), [D("0.0"), D("9.9"), D("-9.9"), D("0.1"), D("-0.1"), D("1.4"), D("-1.4"), None]),
    "decimal(9, 2)": (pa.decimal128(9, 2), decimals(9, 2)),
    "decimal(18, 4)": (pa.decimal128(18, 4), decimals(18, 4)),
    "decimal(19, 0)": (pa.decimal128(19, 0), decimals(19, 0)),
    "decimal(38, 10)": (pa.decimal128(38, 10), decimals(38, 10)),
    "date": (pa.date32(), [dt.date(1970, 1, 1), dt.date(1969, 12, 31), dt.date(1, 1, 1), dt.date(9999, 12, 31), dt.date(1582, 10, 10),
                           dt.date(2024, 2, 29), dt.date(1900, 3, 1), None]),
    "time": (pa.time64("us"), [dt.time(0), dt.time(23, 59, 59, 999999), dt.time(12, 34, 56), dt.time(0, 0, 0, 1), dt.time(1), dt.time(2, 3),
                               dt.time(22, 31, 8), None]),
    "timestamp": (pa.timestamp("us"), moments(None)),
    "timestamptz": (pa.timestamp("us", "UTC"), moments(UTC)),
    "string": (pa.string(), ["", "a", "iceberg", "naïve ünïcode", "\U0001f9ca\U0001f427 ice", "a/b=c&d e%20f", "NULL", None]),
    "uuid": (pa.uuid(), [uuid.UUID(int=0), uuid.UUID(int=2**128 - 1), uuid.UUID("f79c3e09-677c-4bbd-a479-3f349cb785e7"),
                         uuid.UUID(int=1), uuid.UUID(int=2**127), uuid.UUID(int=2**64), uuid.UUID(int=255), None]),
    "fixed[4]": (pa.binary(4), [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0\1\2\3", b"abcd", b"a\0b\0", b"\x80\0\0\0", b"\x7f\xff\0\1", None]),
    "binary": (pa.binary(), [b"", b"\0", b"\xff\xff\xff", b"\0\1\2\3", b"abc", b"\x80", b"a" * 40, None]),
}
V3_TYPES = {
    "timestamp_ns": (pa.timestamp("ns"), NANOSECONDS),
    "timestamptz_ns": (pa.timestamp("ns", "UTC"), NANOSECONDS),
    "unknown": (pa.null(), [None] * 8),
}

def column(iceberg_type):
    kind, values = {**TYPES, **V3_TYPES}[iceberg_type]
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        return pa.array(values, pa.int64()).cast(kind)
    if kind == pa.uuid():
        return pa.ExtensionArray.from_storage(kind, pa.array([v and v.bytes for v in values], pa.binary(16)))
    return pa.array(values, kind)

def column_name(iceberg_type):
    return "c_" + iceberg_type.replace("(", "_").replace(", ", "_").replace("[", "_").strip(")]")

def every_type(types):
    """A table with a row number and one column of each type."""
    return pa.table({"n": pa.array(range(8), pa.int64()), **{column_name(t): column(t) for t in types}})

NESTED_SCHEMA = pa.schema([
    pa.field("id", pa.int64()),
    pa.field("point", pa.struct([("x", pa.int32()), ("y", pa.float64()), ("tag", pa.string())])),
    pa.field("tags", pa.list_(pa.string())),
    pa.field("prices", pa.map_(pa.string(), pa.decimal128(12, 2))),
    pa.field("lines", pa.list_(pa.struct([("sku", pa.string()), ("qty", pa.int32()), ("at", pa.list_(pa.timestamp("us", "UTC")))]))),
    pa.field("by_day", pa.map_(pa.date32(), pa.list_(pa.struct([("v", pa.float32())])))),
    pa.field("deep", pa.struct([("a", pa.struct([("b", pa.struct([("c", pa.list_(pa.list_(pa.int64())))]))]))])),
])

def nested():
    at = dt.datetime(1969, 12, 31, 23, 59, 59, 999999, UTC)
    rows = [
        {"id": 1, "point": {"x": 1, "y": -0.0, "tag": "p"}, "tags": ["a", None, ""], "prices": {"EUR": D("12.50"), "USD": None},
         "lines": [{"sku": "s", "qty": 2, "at": [at, None]}, None, {"sku": None, "qty": None, "at": None}],
         "by_day": {dt.date(1, 1, 1): [{"v": NAN}], dt.date(2024, 2, 29): []}, "deep": {"a": {"b": {"c": [[1, 2], [], None, [None]]}}}},
        {"id": 2, "point": None, "tags": None, "prices": None, "lines": [None], "by_day": None, "deep": None},
        {"id": 3, "point": {"x": None, "y": None, "tag": None}, "tags": [], "prices": {}, "lines": [], "by_day": {}, "deep": {"a": None}},
        {"id": 4, "point": {"x": -2**31, "y": INF, "tag": ""}, "tags": [None], "prices": {"": D("-0.01")},
         "lines": [{"sku": "ü", "qty": 0, "at": []}], "by_day": {dt.date(1969, 12, 31): None}, "deep": {"a": {"b": None}}},
        {"id": 5, "point": {"x": 7, "y": NAN, "tag": "q"}, "tags": ["x"] * 300, "prices": {str(i): D(i) for i in range(50)}, "lines": [],
         "by_day": {dt.date(9999, 12, 31): [None, {"v": None}]}, "deep": {"a": {"b": {"c": []}}}},
    ]
    for row in rows:
        for name in ("prices", "by_day"):
            row[name] = row[name] and list(row[name].items()) or (row[name] if row[name] is None else [])
    return pa.Table.from_pylist(rows, NESTED_SCHEMA)

# Of what every engine knows; time and uuid are left to tables of their own.
RANDOM_KINDS = ["boolean", "int", "long", "float", "double", "decimal(9, 2)", "decimal(18, 4)", "decimal(38, 10)", "date", "timestamp", "timestamptz",
                "string", "binary"]

def random_type(rng, depth):
    """An Arrow type, nested at most `depth` deep."""
    shape = rng.choice(["plain"] * 4 + (["struct", "list", "map"] if depth else []))
    if shape == "struct":
        return pa.struct([(f"f{i}", random_type(rng, depth - 1)) for i in range(rng.randint(1, 4))])
    if shape == "list":
        return pa.list_(random_type(rng, depth - 1))
    if shape == "map":
        return pa.map_(TYPES[rng.choice(["int", "string", "date", "long"])][0], random_type(rng, depth - 1))
    return TYPES[rng.choice(RANDOM_KINDS)][0]

def holds_struct(kind):
    """A list or map with a struct somewhere inside: PyIceberg loses NULL in its place, as nested.null_list shows."""
    inner = kind.item_type if pa.types.is_map(kind) else kind.value_type if pa.types.is_list(kind) else None
    return inner is not None and (pa.types.is_struct(inner) or holds_struct(inner))

def random_value(rng, kind, nulls=0.2):
    if rng.random() < nulls and not holds_struct(kind):
        return None
    if pa.types.is_struct(kind):
        return {field.name: random_value(rng, field.type) for field in kind}
    if pa.types.is_map(kind):
        keys = {random_value(rng, kind.key_type, 0) for _ in range(rng.choice([0, 1, 2, 5]))}
        return [(key, random_value(rng, kind.item_type)) for key in keys]
    if pa.types.is_list(kind):
        return [random_value(rng, kind.value_type) for _ in range(rng.choice([0, 1, 1, 3, 20]))]
    sample = next(values for arrow, values in TYPES.values() if arrow == kind)
    if rng.random() < 0.3:
        return rng.choice(sample[:-1])
    return random_plain(rng, kind)

def random_plain(rng, kind):
    if pa.types.is_boolean(kind):
        return rng.random() < 0.5
    if pa.types.is_integer(kind):
        return rng.randint(-2**(kind.bit_width - 1), 2**(kind.bit_width - 1) - 1) >> rng.randint(0, kind.bit_width - 1)
    if pa.types.is_floating(kind):
        return struct.unpack("<f" if kind == pa.float32() else "<d", rng.randbytes(kind.bit_width // 8))[0]
    if pa.types.is_decimal(kind):
        return D(rng.randint(1 - 10**kind.precision, 10**kind.precision - 1) // 10**rng.randint(0, kind.precision - 1)).scaleb(-kind.scale, decimal.Context(prec=76))
    if pa.types.is_date(kind):
        return dt.date.fromordinal(rng.randint(1, 3652059))
    if pa.types.is_timestamp(kind):
        moment = dt.datetime(1, 1, 1) + dt.timedelta(microseconds=rng.randrange(315537897600 * 10**6))
        return moment.replace(tzinfo=UTC) if kind.tz else moment
    if pa.types.is_string(kind):
        return "".join(rng.choice("aZ0 _\t\n'\"\\/%=ü→🐧") for _ in range(rng.choice([0, 1, 5, 40])))
    return rng.randbytes(rng.choice([0, 1, 16, 40]))

def random_table(seed, rows):
    """`rows` rows of six random columns."""
    rng = random.Random(seed)
    schema = pa.schema([("n", pa.int64()), *((f"c{i}", random_type(rng, 3)) for i in range(6))])
    values = [{"n": n, **{f.name: random_value(rng, f.type) for f in list(schema)[1:]}} for n in range(rows)]
    return pa.Table.from_pylist(values, schema)
