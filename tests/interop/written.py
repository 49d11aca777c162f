"""The tables that calve writes, each by the files and commands of a person, with the rows that must be in them."""
import dataclasses, datetime as dt, decimal, json, os
import pyarrow as pa, pyarrow.parquet as pq
from rows import Rows, text_of
from samples import D, TYPES, V3_TYPES, column, column_name, every_type, nested, random_table

@dataclasses.dataclass
class Table:
    """What must be read from a table, or from one of its branches and tags."""
    name: str                  # "demo.orders"
    rows: pa.Table
    ref: str | None = None
    filters: list = dataclasses.field(default_factory=list)  # columns by whose values the table is also read

    @property
    def title(self):
        return self.name + ("@" + self.ref if self.ref else "")

def iceberg_type(kind):
    for name, (arrow, _) in {**TYPES, **V3_TYPES}.items():
        if arrow == kind:
            return name
    return None

class Project:
    """A project folder, and what a person does in it."""

    def __init__(self, calve, folder):
        self.calve, self.folder, self.files = calve, folder, 0
        for name in ("config/jobs", "contracts", "in"):
            os.makedirs(f"{folder}/{name}", exist_ok=True)

    def write(self, path, value):
        """YAML: JSON is a part of it."""
        with open(f"{self.folder}/{path}", "w") as out:
            json.dump(value, out)

    def load(self, table, rows, contract=None, check=True, **loader):
        """Put a Parquet file there and run a job that loads it."""
        self.files += 1
        job = f"{table.replace('.', '_')}_{self.files}"
        pq.write_table(rows, f"{self.folder}/in/{job}.parquet")
        database, name = table.split(".")
        promised = {f.name: {"type": iceberg_type(f.type)} for f in rows.schema if iceberg_type(f.type)}
        self.write(f"contracts/{table}.yaml", {"columns": promised, **(contract or {})})
        self.write(f"config/jobs/{job}.yaml", {
            "source": {"type": "parquet", "source_path": f"in/{job}.parquet"},
            "loader": {"type": "iceberg", "database": database, "table": name, **loader}})
        return self.calve("run", job, check=check)

def types(project):
    """Every primitive type; and tables without those that Spark (time, nanoseconds) and DuckDB (timestamptz_ns) lack, so that they read the rest."""
    for name, kinds, version in [
            ("v2", TYPES, 2), ("v2_without_time", set(TYPES) - {"time"}, 2), ("v3", [*TYPES, *V3_TYPES], 3),
            ("v3_without_time", set(TYPES) - {"time"}, 3), ("v3_nanoseconds", ["time", "timestamp_ns"], 3), ("v3_unknown", ["int", "unknown"], 3)]:
        rows = every_type(sorted(kinds))
        project.load(f"types.{name}", rows, format_version=version)
        yield Table(f"types.{name}", rows)

def nested_v2(project):
    project.load("nested.v2", nested())
    yield Table("nested.v2", nested())

def nested_v3(project):
    project.load("nested.v3", nested(), format_version=3)
    yield Table("nested.v3", nested())

def null_lists(project):
    """Lists and maps of structs that are NULL, apart from other nested rows: not every reader keeps them."""
    kind = pa.struct([("sku", pa.string())])
    rows = pa.table({"id": pa.array([1, 2, 3], pa.int64()), "lines": pa.array([[{"sku": "a"}], None, []], pa.list_(kind)),
                     "by_key": pa.array([[("k", {"sku": "a"})], None, []], pa.map_(pa.string(), kind))})
    project.load("nested.null_list", rows)
    yield Table("nested.null_list", rows)

INTEGRAL = ["int", "long", "decimal(2, 1)", "decimal(9, 2)", "decimal(19, 0)", "decimal(38, 10)"]
TEXTUAL = ["string", "binary"]
HASHED = [*INTEGRAL, "decimal(18, 4)", "date", "time", "timestamp", "timestamptz", *TEXTUAL, "uuid", "fixed[4]"]
TRANSFORMS = {
    "identity": [*HASHED, "boolean", "float", "double"],
    "bucket[5]": HASHED,
    "truncate[3]": [*INTEGRAL, *TEXTUAL],
    "year": ["date", "timestamp", "timestamptz"], "month": ["date", "timestamp", "timestamptz"], "day": ["date", "timestamp", "timestamptz"],
    "hour": ["timestamp", "timestamptz"],
    "void": ["int", "string"],
}
NS_TRANSFORMS = {t: ["timestamp_ns", "timestamptz_ns"] for t in ("identity", "bucket[5]", "year", "month", "day", "hour")}

def transform_text(transform, column_text):
    """As partition_by says it: bucket(5, c)."""
    if transform == "identity":
        return column_text
    name, _, width = transform.rstrip("]").partition("[")
    return f"{name}({width}, {column_text})" if width else f"{name}({column_text})"

def partitioned(project, transforms, version):
    for transform, kinds in transforms.items():
        for kind in kinds:
            name = f"parts_v{version}.{transform.rstrip(']').replace('[', '_')}_{column_name(kind)[2:]}"
            rows = pa.table({"n": pa.array(range(16), pa.int64()), "c": pa.concat_arrays([column(kind), column(kind)])})
            project.load(name, rows, partition_by=[transform_text(transform, "c")], format_version=version)
            yield Table(name, rows, filters=["c"])

def transforms_v2(project):
    yield from partitioned(project, TRANSFORMS, 2)

def transforms_v3(project):
    yield from partitioned(project, {**NS_TRANSFORMS, "bucket[5]": ["long", "timestamp_ns", "timestamptz_ns"]}, 3)

def nested_partition(project):
    """A partition of a field inside a struct, and several at once."""
    rows = nested()
    project.load("parts_v2.nested", rows, partition_by=["point.x", "truncate(1, point.tag)", "bucket(3, id)"])
    yield Table("parts_v2.nested", rows)

def overwritten(project):
    first = pa.table({"day": pa.array(["a", "a", "b", "c"]), "v": pa.array([1, 2, 3, 4], pa.int64())})
    again = pa.table({"day": pa.array(["a", "d"]), "v": pa.array([10, 40], pa.int64())})
    for version in (2, 3):
        project.load(f"over.whole_v{version}", first, format_version=version)
        project.load(f"over.whole_v{version}", again, write_mode="overwrite")
        yield Table(f"over.whole_v{version}", again)
        project.load(f"over.partitions_v{version}", first, partition_by=["day"], format_version=version)
        project.load(f"over.partitions_v{version}", again, write_mode="overwrite", overwrite="partitions")
        yield Table(f"over.partitions_v{version}", pa.concat_tables([first.slice(2), again]))

def overwritten_by_filter(project):
    """The files of some partitions and bounds give way."""
    rows = pa.table({"day": pa.array(["a", "a", "b", "c", None]), "v": pa.array([1, 2, 3, 4, 5], pa.int64())})
    new = pa.table({"day": pa.array(["a", "d"]), "v": pa.array([10, 40], pa.int64())})
    for version in (2, 3):
        name = f"over.filter_v{version}"
        project.load(name, rows, partition_by=["day"], format_version=version)
        project.load(name, new, write_mode="overwrite", overwrite="filter", where={"day": ["a", None], "v": {"max": 100}})
        yield Table(name, pa.concat_tables([rows.slice(2, 2), new]))

def merged(project):
    """Rows that gave way three times, by deletes beside their files or by files written anew; then all files laid out anew."""
    for version in (2, 3):
        for mode, layout in (("merge-on-read", []), ("merge-on-read", ["bucket(2, id)"]), ("copy-on-write", [])):
            name = f"merged.{mode.replace('-', '_')}{'_parted' if layout else ''}_v{version}"
            rows = {i: f"first {i}" for i in range(300)}
            def load(ids, step, **more):
                part = pa.table({"id": pa.array(ids, pa.int64()), "s": pa.array([f"{step} {i}" for i in ids])})
                project.load(name, part, write_mode="merge", key=["id"], **more)
                rows.update({i: f"{step} {i}" for i in ids})
            load(list(range(300)), "first", partition_by=layout, format_version=version, properties={"write.merge.mode": mode})
            for step in (1, 2, 3):
                load([i for i in range(320) if i % 7 == step or i == 100], step)
            expected = pa.table({"id": pa.array(sorted(rows), pa.int64()), "s": pa.array([rows[i] for i in sorted(rows)])})
            yield Table(name, expected)
            project.calve("table", "compact", name, "--all")
            yield Table(name, expected)

def gzip_metadata(project):
    rows = every_type(TYPES).slice(0, 3)
    for _ in range(2):
        project.load("gz.metadata", rows, properties={"write.metadata.compression-codec": "gzip"})
    yield Table("gz.metadata", pa.concat_tables([rows, rows]))

def codecs(project):
    for codec in ("zstd", "snappy", "gzip", "lz4", "uncompressed"):
        rows = every_type(TYPES)
        project.load(f"codec.{codec}", rows, properties={"write.parquet.compression-codec": codec})
        yield Table(f"codec.{codec}", rows)

def encodings_of_version_two(project):
    """Every type in pages of version 2, repeated and hardly repeating, so that each encoding occurs."""
    rows = every_type([t for t in TYPES if t != "time"])  # which Spark refuses
    project.load("pages.every_type", rows, properties={"write.parquet.page-version": "v2"})
    yield Table("pages.every_type", rows)
    n = 20000
    rows = pa.table({
        "n": pa.array([i * 1000 - 7 if i % 10 else None for i in range(n)], pa.int64()),
        "i": pa.array([(i * 7919) % 1000003 - 500000 for i in range(n)], pa.int32()),
        "day": pa.array([i - 10000 for i in range(n)], pa.int32()).cast(pa.date32()),
        "at": pa.array([i * 1000003 for i in range(n)], pa.int64()).cast(pa.timestamp("us")),
        "d": pa.array([decimal.Decimal(i * 3 - 5000).scaleb(-2) for i in range(n)], pa.decimal128(15, 2)),
        "path": pa.array([f"https://example.org/a/{i}" for i in range(n)]),
        "hash": pa.array([f"{(i * 7919123321) % 1000000007:x}" if i % 9 else None for i in range(n)]),
        "kind": pa.array([f"kind {i % 7}" for i in range(n)]),
    })
    project.load("pages.hardly_repeats", rows, properties={"write.parquet.page-version": "v2"})
    yield Table("pages.hardly_repeats", rows)

def many_files(project):
    """Files and row groups of many kinds: small pages, splits that load side by side, several snapshots."""
    rows = pa.table({"n": pa.array(range(20000), pa.int64()), "t": pa.array([f"text {i % 97}" if i % 11 else None for i in range(20000)])})
    for part in range(4):
        project.load("many.files", rows.slice(part * 5000, 5000), partition_by=["bucket(4, n)"],
                     properties={"write.target-file-size-bytes": "20000", "write.parquet.row-group-size-bytes": "8192"})
    yield Table("many.files", rows)

def branches_and_tags(project):
    one = pa.table({"v": pa.array([1, 2], pa.int64())})
    bad = pa.table({"v": pa.array([3, 3], pa.int64())})
    for version in (2, 3):
        name = f"refs.v{version}"
        project.load(name, one, format_version=version)
        project.calve("table", "tag", name, "first")
        project.load(name, pa.table({"v": pa.array([4], pa.int64())}))
        run = project.load(name, bad, contract={"checks": [{"unique": ["v"]}]}, check=False)
        branch = next(b["branch"] for b in json.loads(project.calve("branch", "list", "--json").stdout) if b["table"] == name)
        assert run.returncode != 0, "an audit that must fail has passed"
        whole = pa.table({"v": pa.array([1, 2, 4], pa.int64())})
        yield Table(name, whole)
        yield Table(name, one, ref="first")
        yield Table(name, pa.concat_tables([whole, bad]), ref=branch)

def rolled_back(project):
    one = pa.table({"v": pa.array([1], pa.int64())})
    project.load("refs.rolled_back", one)
    project.calve("table", "tag", "refs.rolled_back", "good")
    project.load("refs.rolled_back", pa.table({"v": pa.array([2], pa.int64())}))
    project.calve("table", "rollback", "refs.rolled_back", "--to", "good")
    project.load("refs.rolled_back", pa.table({"v": pa.array([3], pa.int64())}))
    yield Table("refs.rolled_back", pa.table({"v": pa.array([1, 3], pa.int64())}))

def evolved(project):
    """Added, dropped, renamed, reordered, widened, inside structs too; rows from before and after."""
    for version in (2, 3):
        name = f"evolved.v{version}"
        before = pa.table({
            "id": pa.array([1, 2], pa.int32()), "gone": pa.array(["x", "y"]), "old": pa.array([1.5, float("nan")], pa.float32()),
            "amount": pa.array([D("1.10"), D("-2.20")], pa.decimal128(9, 2)),
            "s": pa.array([{"a": 1, "b": "q"}, None], pa.struct([("a", pa.int32()), ("b", pa.string())])),
            "l": pa.array([[{"k": 1}], []], pa.list_(pa.struct([("k", pa.int32())])))})
        project.load(name, before, format_version=version)
        project.calve("table", "alter", name, "drop gone", "rename old to renamed", "widen id to long", "widen renamed to double",
                      "widen amount to decimal(20, 2)", "add note string", "add s.c date", "rename s.a to a2", "drop s.b", "widen s.a2 to long",
                      "add l.extra boolean", "rename l.element.k to k2", "move note first", "move amount before renamed")
        after = pa.table({
            "id": pa.array([2**40], pa.int64()), "renamed": pa.array([1e300]), "amount": pa.array([D("123456789012345678.99")], pa.decimal128(20, 2)),
            "s": pa.array([{"a2": 2**40, "c": dt.date(1969, 12, 31)}], pa.struct([("a2", pa.int64()), ("c", pa.date32())])),
            "l": pa.array([[{"k2": 7, "extra": True}]], pa.list_(pa.struct([("k2", pa.int32()), ("extra", pa.bool_())]))), "note": pa.array(["n"])})
        project.load(name, after)
        whole = pa.Table.from_pylist([
            {"id": 1, "renamed": 1.5, "amount": D("1.10"), "s": {"a2": 1, "c": None}, "l": [{"k2": 1, "extra": None}], "note": None},
            {"id": 2, "renamed": float("nan"), "amount": D("-2.20"), "s": None, "l": [], "note": None}, *after.to_pylist()], after.schema)
        yield Table(name, whole.select(["note", "id", "amount", "renamed", "s", "l"]))
        project.calve("table", "alter", name, "drop note", "add note string")  # another column of the same name
        again = whole.set_column(5, "note", pa.nulls(3, pa.string()))
        yield Table(name, again.select(["id", "amount", "renamed", "s", "l", "note"]))

def evolved_by_source(project):
    """The contract lets the table grow with its source: new columns at every depth, wider types."""
    evolve = {"on_type_change": "evolve"}
    project.load("evolved.by_source", pa.table({
        "id": pa.array([1], pa.int32()), "s": pa.array([{"x": 1}], pa.struct([("x", pa.int32())])),
        "l": pa.array([[{"k": "a"}]], pa.list_(pa.struct([("k", pa.string())]))),
        "m": pa.array([[("p", {"v": 1.5})]], pa.map_(pa.string(), pa.struct([("v", pa.float32())])))}))
    second = pa.table({
        "id": pa.array([2**33], pa.int64()), "s": pa.array([{"x": 2**33, "y": "new"}], pa.struct([("x", pa.int64()), ("y", pa.string())])),
        "l": pa.array([[{"k": "b", "n": 2}, None]], pa.list_(pa.struct([("k", pa.string()), ("n", pa.int32())]))),
        "m": pa.array([[("q", {"v": 1e300, "w": [True]})]], pa.map_(pa.string(), pa.struct([("v", pa.float64()), ("w", pa.list_(pa.bool_()))]))),
        "added": pa.array([D("1.00")], pa.decimal128(9, 2))})
    project.load("evolved.by_source", second, contract=evolve)
    first = {"id": 1, "s": {"x": 1, "y": None}, "l": [{"k": "a", "n": None}], "m": [("p", {"v": 1.5, "w": None})], "added": None}
    yield Table("evolved.by_source", pa.Table.from_pylist([first, *second.to_pylist()], second.schema))

def repartitioned(project):
    """One table under several specs: widened, replaced, dropped, taken up again; sources renamed and dropped."""
    for version in (2, 3):
        name = f"respec.v{version}"
        def rows(first):
            return pa.table({"id": pa.array(range(first, first + 6), pa.int64()), "t": column("timestamp").slice(0, 6), "s": column("string").slice(0, 6)})
        whole = [rows(0)]
        project.load(name, whole[0], format_version=version)
        for i, change in enumerate(["partition by bucket(4, id)", "partition by bucket(4, id), year(t)", "partition by day(t), truncate(1, s)",
                                    "partition by bucket(8, id)", "partition by nothing", "partition by hour(t), s", "partition by bucket(4, id)"]):
            project.calve("table", "alter", name, change)
            whole.append(rows(6 * (i + 1)))
            project.load(name, whole[-1])
        yield Table(name, pa.concat_tables(whole), filters=["id", "t", "s"])
        project.calve("table", "alter", name, "rename id to number", "drop s")
        after = pa.concat_tables(whole).drop_columns("s").rename_columns(["number", "t"])
        yield Table(name, after, filters=["number", "t"])
        # A dynamic overwrite replaces the partitions of the new rows under the current spec.
        new = pa.table({"number": pa.array([3], pa.int64()), "t": column("timestamp").slice(0, 1)})
        project.load(name, new)
        yield Table(name, pa.concat_tables([after, new]))

def upgraded(project):
    """From format 2 to 3 with rows in it."""
    one = pa.table({"v": pa.array([1, 2], pa.int64())})
    project.load("upgraded.t", one)
    project.calve("table", "alter", "upgraded.t", "upgrade to format 3", "add at timestamp_ns")
    two = pa.table({"v": pa.array([3], pa.int64()), "at": pa.array([1], pa.int64()).cast(pa.timestamp("ns"))})
    project.load("upgraded.t", two)
    yield Table("upgraded.t", pa.concat_tables([one.append_column("at", pa.nulls(2, pa.timestamp("ns"))), two]))

def random_rows(project):
    """Tables of random nested types and values, each in three loads under a random layout."""
    for seed in range(int(os.environ.get("INTEROP_SEED", "1")), int(os.environ.get("INTEROP_SEED", "1")) + int(os.environ.get("INTEROP_TABLES", "6"))):
        name, rows = f"random.s{seed}", random_table(seed, 90)
        for part in range(3):
            project.load(name, rows.slice(part * 30, 30), format_version=2 + seed % 2, partition_by=[["bucket(3, n)"], [], ["n"]][seed % 3][:1],
                         properties={"write.parquet.row-group-size-bytes": "2000"})
        yield Table(name, rows)

SETS = [random_rows, evolved, evolved_by_source, repartitioned, upgraded, types, nested_v2, nested_v3, null_lists, transforms_v2, transforms_v3, nested_partition, overwritten, overwritten_by_filter, merged, gzip_metadata, codecs,
        encodings_of_version_two, many_files, branches_and_tags, rolled_back]

def compare_filtered(tally, readers, table, name):
    """Read rows by one value of a partitioned column: a wrong partition value would hide them."""
    column_ = table.rows[name].combine_chunks()
    for index in (1, 2, 3):
        value, text = column_[index], text_of(column_[index], column_.type)
        if text in ("NaN", "-0.0"):  # NaN equals nothing, or itself, and -0.0 equals 0.0, as each engine's SQL has it
            continue
        expected = Rows.of(table.rows.filter(pa.array([text_of(v, column_.type) == text for v in column_])))
        for reader in readers:
            if hasattr(reader, "read_where"):
                tally.compare(f"{table.title} where {name}", reader.name, expected, lambda: reader.read_where(table.name, table.rows.schema, name, value))
