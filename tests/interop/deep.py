#!/usr/bin/env python3
"""What lies beneath the rows: manifests, partition values, metrics, sequence numbers, row ids and names of metadata files, as Iceberg Java has them.

usage: build/interop/venv/bin/python tests/interop/deep.py CALVE [--only WORD]      after tests/interop/setup

Each function is a check of docs/interop.md, or a part of one. It gives (engine, fault) for each thing that it compared, without a fault when all
is well.
"""
import argparse, collections, glob, json, logging, os, random, shutil, subprocess, sys, tempfile, time, traceback
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import duckdb, fastavro
import pyarrow as pa
import pyarrow.parquet
import foreign, matrix, written
from engines import CATALOG, Calve, DuckDb, Java, PyIceberg, Spark
from rows import Rows
from samples import TYPES, every_type, nested

HERE = os.path.dirname(os.path.abspath(__file__))
N = 1_000_000
# Columns of i, which counts rows, as DuckDB computes them: spread over the whole range, or over what has a few thousand partitions.
SPREAD = {
    "int": "((hash(i) % 4294967296)::BIGINT - 2147483648)::INTEGER",
    "long": "(hash(i)::HUGEINT - 9223372036854775808)::BIGINT",
    "decimal(9, 2)": "(((hash(i) % 1999999999)::BIGINT - 999999999)::DECIMAL(10,0) * 0.01::DECIMAL(3,2))::DECIMAL(9,2)",
    "decimal(38, 10)": "((hash(i)::HUGEINT - 9223372036854775808)::DECIMAL(20,0) * 0.0000000001::DECIMAL(11,10))::DECIMAL(38,10)",
    "date": "(DATE '0001-01-01' + (hash(i) % 3652059)::INTEGER)",
    "timestamp": "make_timestamp((hash(i) % 315537897600000000)::BIGINT - 62135596800000000)",
    "timestamptz": "make_timestamp((hash(i) % 315537897600000000)::BIGINT - 62135596800000000)::TIMESTAMPTZ",
    "string": "chr((128000 + hash(i) % 100)::INTEGER) || left(md5(i::VARCHAR), (hash(i + 1) % 30)::INTEGER) || chr((19968 + hash(i + 2) % 20000)::INTEGER)",
    "binary": "unhex(left(md5(i::VARCHAR), (2 * (1 + hash(i) % 15))::INTEGER))",
}
NEAR = {"decimal(9, 2)": "(((hash(i) % 1000000000)::BIGINT - 500000000)::DECIMAL(10,0) * 0.01::DECIMAL(3,2))::DECIMAL(9,2)", "long": "(hash(i) % 1000000000000)::BIGINT - 500000000000", "date": "(DATE '1960-01-01' + (hash(i) % 5000)::INTEGER)", "timestamp": "make_timestamp((hash(i) % 16000000000000)::BIGINT - 8000000000000)",
        "timestamptz": "make_timestamp((hash(i) % 16000000000000)::BIGINT - 8000000000000)::TIMESTAMPTZ"}


class Deep:
    def __init__(self, program, folder):
        java_home = subprocess.run([f"{HERE}/java_home"], capture_output=True, text=True, check=True).stdout.strip()
        self.program, self.folder = program, folder
        self.calve = Calve(program, folder)
        self.calve("table", "list")
        self.python = PyIceberg(folder)
        self.spark = Spark(folder, f"{HERE}/../../build/interop/jars", java_home)
        self.java = Java(self.spark)
        self.duckdb = DuckDb(self.python.locate)
        self.project = written.Project(self.calve, folder)

    def sql(self, *statements):
        for statement in statements:
            found = self.spark.sql(statement)
        return found

    def snapshots(self, table):
        return self.python.catalog.load_table(table).metadata.snapshots


def values(column, rows):
    connection = duckdb.connect()
    connection.execute("SET TimeZone='UTC'")
    return connection.execute(f"SELECT i AS n, {column} AS c FROM range({rows}) t(i)").to_arrow_table()


def local_path(uri):
    return uri.removeprefix("file://").removeprefix("file:")


def manifests_as_rust_reads_them(d):
    """5: entries of our manifests as Iceberg's Rust core reads them, field by field as they stand in the file."""
    from pyiceberg_core import manifest as core
    for version in (2, 3):
        name = f"deep.rust_v{version}"
        rows = every_type(sorted(set(TYPES) - ({"time"} if version == 3 else set())))
        for _ in range(2):
            d.project.load(name, rows, format_version=version, partition_by=["bucket(3, n)" if "n" in rows.column_names else f"bucket(3, {rows.column_names[0]})"])
        table = d.python.catalog.load_table(name)
        for listed in table.current_snapshot().manifests(table.io):
            path = local_path(listed.manifest_path)
            ours = list(fastavro.reader(open(path, "rb")))
            theirs = core.read_manifest_entries(open(path, "rb").read()).entries()
            fault = None if len(ours) == len(theirs) else f"{len(theirs)} entries of {len(ours)}"
            for mine, entry in zip(ours, theirs):
                data, file = mine["data_file"], entry.data_file
                pairs = {"file_path": file.file_path, "record_count": file.record_count, "file_size_in_bytes": file.file_size_in_bytes}
                fault = fault or next((f"{key} is {data[key]} and {value}" for key, value in pairs.items() if data[key] != value), None)
                for key in ("column_sizes", "value_counts", "null_value_counts", "nan_value_counts", "lower_bounds", "upper_bounds"):
                    wanted = {pair["key"]: pair["value"] for pair in data[key] or []}
                    found = {k: bytes(v) if isinstance(v, (list, bytes, bytearray)) else v for k, v in (getattr(file, key) or {}).items()}
                    if wanted != found:
                        fault = fault or f"{key} of {file.file_path}: {wanted} against {found}"[:300]
            yield "iceberg-rust", fault


def plain_schema(schema):
    """An Avro schema without what says nothing: documentation and defaults."""
    if isinstance(schema, dict):
        kept = {key: plain_schema(value) for key, value in schema.items() if key not in ("doc", "default", "order")}
        return kept["type"] if set(kept) == {"type"} else kept
    return [plain_schema(item) for item in schema] if isinstance(schema, list) else schema


def by_field_id(schema):
    """Each field of an Avro schema by its id, with its type; ids say what order does not."""
    found = {}
    def walk(node):
        if isinstance(node, dict):
            for field in node.get("fields", []):
                found[field.get("field-id")] = field
                walk(field["type"])
            for key in ("items", "values"):
                if key in node:
                    if "element-id" in node:
                        found[node["element-id"]] = {"element-of": node["type"], "items": node[key] if isinstance(node[key], str) else None}
                    walk(node[key])
        elif isinstance(node, list):
            for item in node:
                walk(item)
    walk(schema)
    return found


def header(path):
    with open(path, "rb") as file:
        reader = fastavro.reader(file)
        for _ in reader:
            pass
        return json.loads(reader.metadata["avro.schema"]), {key: value for key, value in reader.metadata.items() if not key.startswith("avro.")}


def avro_as_java_writes_it(d):
    """6: fields, ids and header keys of our manifests and lists, against those that Java writes for the same table."""
    for version in (2, 3):
        name = f"deep.avro_v{version}"
        rows = pa.table({"n": pa.array([1, 2], pa.int64()), "dec": pa.array([1, 2], pa.int64()).cast(pa.decimal128(19, 0)).cast(pa.decimal128(20, 2)),
                         "s": ["a", "b"], "day": pa.array([0, 1], pa.int32()).cast(pa.date32())})
        d.project.load(name, rows, format_version=version, partition_by=["bucket(4, n)", "dec", "truncate(1, s)", "month(day)"])
        ours = d.snapshots(name)[-1]
        d.sql(f"INSERT INTO {CATALOG}.{name} VALUES (7, 1.10, 'x', DATE '2020-01-01')")
        theirs = d.snapshots(name)[-1]
        io = d.python.catalog.load_table(name).io
        old = {m.manifest_path for m in ours.manifests(io)}
        pairs = {"manifest list": (ours.manifest_list, theirs.manifest_list),
                 "manifest": (next(iter(old)), next(m.manifest_path for m in theirs.manifests(io) if m.manifest_path not in old))}
        for what, (mine, java) in pairs.items():
            (schema, keys), (java_schema, java_keys) = header(local_path(mine)), header(local_path(java))
            fields, java_fields = by_field_id(plain_schema(schema)), by_field_id(plain_schema(java_schema))
            missing = sorted(set(java_fields) - set(fields), key=str)
            other = [i for i in set(fields) & set(java_fields) if {k: v for k, v in fields[i].items() if k != "type"} != {k: v for k, v in java_fields[i].items() if k != "type"}
                     or kind_of(fields[i].get("type")) != kind_of(java_fields[i].get("type"))]
            yield "java", f"{what} v{version}: no field {missing}" if missing else f"{what} v{version}: field {other[0]} is {fields[other[0]]}, Java's {java_fields[other[0]]}"[:400] if other else None
            lacking = set(java_keys) - set(keys) - {"iceberg.schema"}
            yield "java", f"{what} v{version}: its header lacks {sorted(lacking)}" if lacking else None
            yield "fastavro", None


def kind_of(kind):
    """A type without what lies below it."""
    if isinstance(kind, list):
        return [kind_of(item) for item in kind]
    if isinstance(kind, dict):
        return {key: value for key, value in kind.items() if key not in ("fields", "items")}
    return kind


def hashes_of_a_million(d):
    """8: the bucket that each of a million values of each type was put into, as Java's function has it."""
    for kind, column in SPREAD.items():
        yield from judged_by_spark(d, f"deep.bucket_{written.column_name(kind)}", values(column, N), "bucket(97, c)", "bucket(97, c)")


def transforms_of_many(d):
    """9: the same for the other transforms, a hundred thousand values each, before 1970 and after."""
    rows = N // 10
    for kind, width in {"int": 10**7, "long": 10**9, "decimal(9, 2)": 10**6, "string": 1, "binary": 1}.items():
        yield from judged_by_spark(d, f"deep.truncate_{written.column_name(kind)}", values(NEAR.get(kind, SPREAD[kind]), rows), f"truncate({width}, c)", f"truncate({width}, c)")
    for kind in ("date", "timestamp", "timestamptz"):
        for unit in ("year", "month", "day") + (("hour",) if kind != "date" else ()):
            yield from judged_by_spark(d, f"deep.{unit}_{kind}", values(NEAR[kind], rows), f"{unit}(c)", f"{unit}s(c)")


def judged_by_spark(d, name, rows, transform, function):
    d.project.load(name, rows, partition_by=[transform])
    field = d.python.catalog.load_table(name).spec().fields[0].name
    found = d.sql(f"SELECT count(*) AS n, count_if(NOT ({CATALOG}.system.{function} <=> _partition.{field})) AS wrong FROM {CATALOG}.{name}").toArrow().to_pylist()[0]
    yield "spark", None if found == {"n": len(rows), "wrong": 0} else f"{transform}: {found} of {len(rows)}"


def metrics_as_java_writes_them(d):
    """10, 11, 12: counts and bounds of each column of each file, byte for byte as Java writes them for the same rows."""
    rows, edge = 20_000, "[chr(55295), chr(57344), chr(1114111), chr(1114110), chr(127), 'a', chr(128039)]"
    columns = {"n": "i", **{f"c{k}": SPREAD[kind] for k, kind in enumerate(SPREAD)},
               "edge": f"repeat(({edge})[(1 + hash(i + 7) % 7)::BIGINT], (hash(i) % 20)::INTEGER) || left(md5(i::VARCHAR), 6)",
               "bytes": "unhex(repeat((['FF', '00', '7F', 'FFFE'])[(1 + hash(i + 9) % 4)::BIGINT], (hash(i) % 20)::INTEGER)) ",
               "f": "CASE WHEN hash(i) % 5 = 0 THEN 'NaN'::FLOAT WHEN hash(i) % 5 = 1 THEN NULL WHEN hash(i) % 5 = 2 THEN '-0.0'::FLOAT ELSE (hash(i) % 1000)::FLOAT - 500 END",
               "g": "CASE WHEN hash(i) % 3 = 0 THEN 'NaN'::DOUBLE WHEN hash(i) % 3 = 1 THEN NULL ELSE (hash(i) % 100000)::DOUBLE * 1e-3 - 50 END",
               "nan": "'NaN'::DOUBLE", "none": "NULL::INTEGER", "flag": "hash(i) % 2 = 0"}
    connection = duckdb.connect()
    connection.execute("SET TimeZone='UTC'")
    table = connection.execute(f"SELECT {', '.join(f'{sql} AS {name}' for name, sql in columns.items())} FROM range({rows}) t(i)").to_arrow_table()
    d.project.load("deep.metrics", table, partition_by=["bucket(200, n)"])
    names = ", ".join(f"{row.col_name} {row.data_type}" for row in d.sql(f"DESCRIBE TABLE {CATALOG}.deep.metrics").collect()[:len(columns)])
    d.sql(f"CREATE TABLE {CATALOG}.deep.metrics_java ({names}) USING iceberg PARTITIONED BY (bucket(200, n))",
          f"INSERT INTO {CATALOG}.deep.metrics_java SELECT * FROM {CATALOG}.deep.metrics")
    what = ["record_count", "value_counts", "null_value_counts", "nan_value_counts", "lower_bounds", "upper_bounds"]
    files = [{row["partition"]["n_bucket"]: row for row in d.sql(f"SELECT partition, {', '.join(what)} FROM {CATALOG}.{name}.files").toArrow().to_pylist()}
             for name in ("deep.metrics", "deep.metrics_java")]
    yield "spark", None if files[0].keys() == files[1].keys() else "other partitions"
    order = list(columns)
    kinds = {10: {*(f"c{k}" for k, kind in enumerate(SPREAD) if kind not in ("string", "binary")), "n", "flag"}, 11: {"edge", "bytes", f"c{list(SPREAD).index('string')}", f"c{list(SPREAD).index('binary')}"},
             12: {"f", "g", "nan", "none"}}
    for check, of in kinds.items():
        fault, compared = None, 0
        for part in files[0].keys() & files[1].keys():
            for key in what[1:]:
                mine, java = (dict(side[part][key] or []) for side in files)
                for name in of:
                    at = order.index(name) + 1
                    compared += 1
                    if mine.get(at) != java.get(at):
                        fault = fault or f"{key} of {name}: {mine.get(at)!r}, Java's {java.get(at)!r}"
        yield "java", fault, check, compared


def sequence_numbers(d):
    """19: deletes of an equal, a lower and a higher sequence number than the rows', by equality and by position."""
    import foreign
    w = foreign.Writers(d.folder, d.python, d.spark, d.java)
    for version in (2, 3):
        name = f"deep.sequence_v{version}"
        d.sql(f"CREATE TABLE {CATALOG}.{name} (id int, s string) USING iceberg TBLPROPERTIES ('format-version'='{version}', 'write.delete.mode'='merge-on-read')",
              f"INSERT INTO {CATALOG}.{name} VALUES (1, 'below'), (2, 'stays')")
        foreign.equality_delete(w, name, ["id"], [{"id": 1}, {"id": 9}], {})
        d.sql(f"INSERT INTO {CATALOG}.{name} VALUES (1, 'above')", f"DELETE FROM {CATALOG}.{name} WHERE id = 2", f"INSERT INTO {CATALOG}.{name} VALUES (2, 'again')")
        same_commit(d, name)
        wanted = w.by_spark(name)
        expected = {(1, "above"), (2, "again"), (9, "same commit")}
        found = {(row["id"], row["s"]) for row in d.calve.table(f"SELECT * FROM {name}").to_pylist()}
        yield "java", None if found == expected else f"v{version}: expected {expected}, found {found}"
        yield "spark", wanted.rows.difference(d.calve.read(name, wanted.wanted))


def same_commit(d, name):
    """Rows and an equality delete of them in one commit: the delete is for what was there before."""
    jvm, table = d.java.jvm, d.java.table(name)
    iceberg = jvm.org.apache.iceberg
    def build(rows, schema, make):
        files = iceberg.io.OutputFileFactory.builderFor(table, 7, random.randrange(10**6)).format(iceberg.FileFormat.PARQUET).build()
        writer = make(files.newOutputFile())
        for row in rows:
            record = iceberg.data.GenericRecord.create(schema)
            for column, value in row.items():
                record.setField(column, value)
            writer.write(record)
        writer.close()
        return writer
    ids = d.spark.session._sc._gateway.new_array(jvm.int, 1)
    ids[0] = table.schema().findField("id").fieldId()
    only = table.schema().select(["id"])
    builder = getattr(iceberg.data, "GenericFileWriterFactory$Builder")(table)
    factory = builder.dataFileFormat(iceberg.FileFormat.PARQUET).deleteFileFormat(iceberg.FileFormat.PARQUET).equalityFieldIds(ids).equalityDeleteRowSchema(only).build()
    data = build([{"id": 9, "s": "same commit"}], table.schema(), lambda out: factory.newDataWriter(out, table.spec(), None))
    gone = build([{"id": 9}], only, lambda out: factory.newEqualityDeleteWriter(out, table.spec(), None))
    table.newRowDelta().addRows(data.toDataFile()).addDeletes(gone.toDeleteFile()).commit()
    d.sql(f"REFRESH TABLE {CATALOG}.{name}")


def row_ids(d):
    """20: thirty changes of a version 3 table by calve and Spark in turn: an id belongs to one row, and the row keeps it."""
    name, rng, ids = "deep.lineage", random.Random(20), {}
    d.project.load(name, pa.table({"n": pa.array(range(10), pa.int64())}), format_version=3)
    d.sql(f"ALTER TABLE {CATALOG}.{name} SET TBLPROPERTIES ('write.delete.mode'='merge-on-read')")
    for step in range(30):
        first = 100 * (step + 1)
        if step % 6 == 4:
            d.calve("table", "compact", name, "--all")
        elif step % 2 == 0:
            d.project.load(name, pa.table({"n": pa.array(range(first, first + 5), pa.int64())}))
        else:
            d.sql(rng.choice([f"INSERT INTO {CATALOG}.{name} SELECT {first} + id FROM range(3)", f"DELETE FROM {CATALOG}.{name} WHERE n % 7 = {rng.randrange(7)}",
                              f"CALL {CATALOG}.system.rewrite_data_files(table => '{name}', options => map('rewrite-all', 'true'))",
                              f"CALL {CATALOG}.system.rewrite_manifests('{name}')", f"ALTER TABLE {CATALOG}.{name} CREATE OR REPLACE BRANCH side"]))
        d.sql(f"REFRESH TABLE {CATALOG}.{name}")
        seen = {row["n"]: row["_row_id"] for row in d.sql(f"SELECT n, _row_id FROM {CATALOG}.{name}").toArrow().to_pylist()}
        moved = [n for n in seen if n in ids and ids[n] != seen[n]]
        fault = "rows without an id" if None in seen.values() else "an id of two rows" if len(set(seen.values())) != len(seen) else f"row {moved[0]} has another id" if moved else None
        ids.update(seen)
        yield "spark", fault
    found = {row["n"] for row in d.calve.table(f"SELECT n FROM {name}").to_pylist()}
    yield "java", None if found == set(seen) else "calve reads other rows"


def schemas_of_three_writers(d):
    """21: fifty random changes of the columns by calve, Spark and PyIceberg in turn, with a row after each; all read the same rows."""
    from pyiceberg.types import DoubleType, LongType, StringType
    name, rng = "deep.evolving", random.Random(50)
    d.project.load(name, pa.table({"id": pa.array([0], pa.int64()), "a0": pa.array([1], pa.int32())}))
    columns, wide = {"a0": "int"}, {"int": "long", "float": "double"}
    rows = [{"id": 0, "a0": 1}]
    value = {"int": 7, "long": 2**40, "float": 1.5, "double": 0.1, "string": "text"}
    for step in range(1, 51):
        who = ("calve", "spark", "pyiceberg")[step % 3]
        does = rng.choice(["add", "add", "rename", "drop", "widen"])
        old, new = rng.choice(sorted(columns)) if columns else None, f"a{step}"
        kind = rng.choice(["int", "long", "float", "double", "string"])
        if does == "widen" and columns.get(old) not in wide or does in ("rename", "drop") and (old is None or does == "drop" and len(columns) < 3):
            does = "add"
        table = d.python.catalog.load_table(name)
        if who == "calve":
            d.calve("table", "alter", name, {"add": f"add {new} {kind}", "rename": f"rename {old} to {new}", "drop": f"drop {old}", "widen": f"widen {old} to {wide.get(columns.get(old))}"}[does])
        elif who == "spark":
            spelled = {"long": "bigint"}
            d.sql(f"REFRESH TABLE {CATALOG}.{name}", f"ALTER TABLE {CATALOG}.{name} " + {
                "add": f"ADD COLUMN {new} {spelled.get(kind, kind)}", "rename": f"RENAME COLUMN {old} TO {new}", "drop": f"DROP COLUMN {old}",
                "widen": f"ALTER COLUMN {old} TYPE {spelled.get(wide.get(columns.get(old)), wide.get(columns.get(old)))}"}[does])
        else:
            from pyiceberg.types import FloatType, IntegerType
            types = {"int": IntegerType(), "long": LongType(), "float": FloatType(), "double": DoubleType(), "string": StringType()}
            with table.update_schema() as update:
                {"add": lambda: update.add_column(new, types[kind]), "rename": lambda: update.rename_column(old, new), "drop": lambda: update.delete_column(old),
                 "widen": lambda: update.update_column(old, types[wide.get(columns.get(old), "long")])}[does]()
        if does == "add":
            columns[new] = kind
        elif does == "widen":
            columns[old] = wide[columns[old]]
        else:
            kept = columns.pop(old)
            if does == "rename":
                columns[new] = kept
                rows = [{new if key == old else key: item for key, item in row.items()} for row in rows]
            else:
                rows = [{key: item for key, item in row.items() if key != old} for row in rows]
        row = {"id": step, **{column: value[kind_] for column, kind_ in columns.items()}}
        rows.append(row)
        arrow = {"int": pa.int32(), "long": pa.int64(), "float": pa.float32(), "double": pa.float64(), "string": pa.string()}
        table = d.python.catalog.load_table(name)
        names = [field.name for field in table.schema().fields]
        made = pa.table({column: pa.array([row[column]], arrow[columns[column]] if column != "id" else pa.int64()) for column in names})
        if who == "pyiceberg":
            table.append(made)
        elif who == "calve":
            d.project.load(name, made)
        else:
            literal = lambda column: {"int": str, "long": lambda v: f"{v}L", "float": lambda v: f"float({v})", "double": lambda v: f"double({v})", "string": lambda v: f"'{v}'"}[columns[column]](row[column])
            d.sql(f"REFRESH TABLE {CATALOG}.{name}", f"INSERT INTO {CATALOG}.{name} SELECT {', '.join('CAST(%d AS BIGINT)' % step if c == 'id' else literal(c) for c in names)}")
    wanted = pa.schema([(column, arrow[columns[column]] if column != "id" else pa.int64()) for column in names])
    expected = Rows.of(pa.Table.from_pylist([{column: row.get(column) for column in names} for row in rows], wanted))
    d.sql(f"REFRESH TABLE {CATALOG}.{name}")
    for reader in (d.calve, d.spark, d.python, d.duckdb, d.java):
        yield reader.name, expected.difference(reader.read(name, wanted))


def names_of_metadata_files(d):
    """27: a Hadoop table of Spark's in calve's filesystem catalog, with metadata in gzip, and with the hint right, missing, stale and wrong."""
    for codec in ("none", "gzip"):
        home = f"{d.folder}/hadoop_{codec}"
        catalog = f"hadoop_{codec}"
        for key, value in {"": "org.apache.iceberg.spark.SparkCatalog", ".type": "hadoop", ".warehouse": f"file://{home}/warehouse"}.items():
            d.spark.session.conf.set(f"spark.sql.catalog.{catalog}{key}", value)
        d.sql(f"CREATE TABLE {catalog}.db.t (id bigint) USING iceberg TBLPROPERTIES ('write.metadata.compression-codec'='{codec}')")
        for i in range(12):
            d.sql(f"INSERT INTO {catalog}.db.t VALUES ({i})")
        with open(f"{home}/calve.yaml", "w") as out:
            out.write("catalogs: {fs: {type: filesystem}}\nwarehouse: warehouse\n")
        reads = Calve(d.program, home)
        hint = f"{home}/warehouse/db/t/metadata/version-hint.text"
        for state, text in {"right": open(hint).read(), "missing": None, "stale": "3", "wrong": "no number", "too high": "99"}.items():
            if text is None:
                os.remove(hint)
            else:
                open(hint, "w").write(text)
            try:
                ids = sorted(reads.table("SELECT id FROM db.t").column("id").to_pylist())
                fault = None if ids == list(range(12)) else f"hint {state}, {codec}: found {ids}"
            except Exception as error:
                fault = f"hint {state}, {codec}: {error}"
            yield "spark", fault


def old_jdbc_catalog(d):
    """36: a JDBC catalog whose tables are of before views, shared by Spark, PyIceberg and calve."""
    home = f"{d.folder}/jdbc_v0"
    os.makedirs(f"{home}/metadata")
    for key, value in {"": "org.apache.iceberg.spark.SparkCatalog", ".type": "jdbc", ".uri": f"jdbc:sqlite:{home}/metadata/catalog.db", ".jdbc.schema-version": "V0",
                       ".warehouse": f"file://{home}/warehouse", ".cache-enabled": "false"}.items():
        d.spark.session.conf.set(f"spark.sql.catalog.v0{key}", value)
    d.sql("CREATE NAMESPACE v0.db", "CREATE TABLE v0.db.t (id bigint) USING iceberg", "INSERT INTO v0.db.t VALUES (1)")
    with open(f"{home}/calve.yaml", "w") as out:
        out.write("catalogs: {v0: {type: sql}}\nwarehouse: warehouse\n")
    calve = Calve(d.program, home)
    project = written.Project(calve, home)
    from pyiceberg.catalog.sql import SqlCatalog
    def ids():
        return {"calve": sorted(calve.table("SELECT id FROM db.t").column("id").to_pylist()),
                "spark": sorted(row.id for row in d.sql("SELECT id FROM v0.db.t").collect())}
    project.load("db.t", pa.table({"id": pa.array([2], pa.int64())}))
    for reader, found in ids().items():
        yield reader, None if found == [1, 2] else f"found {found}"
    d.sql("INSERT INTO v0.db.t VALUES (3)")
    catalog = SqlCatalog("v0", uri=f"sqlite:///{home}/metadata/catalog.db", warehouse=f"file://{home}/warehouse")
    catalog.load_table("db.t").append(pa.table({"id": pa.array([4], pa.int64())}))
    project.load("db.t", pa.table({"id": pa.array([5], pa.int64())}))
    for reader, found in {**ids(), "pyiceberg": sorted(catalog.load_table("db.t").scan().to_arrow().column("id").to_pylist())}.items():
        yield reader, None if found == [1, 2, 3, 4, 5] else f"found {found}"


def vectors_bit_for_bit(d):
    """14, 15: for the same rows calve and Java write the same deletion vector; Java reads the Puffin file around it."""
    rows = pa.table({"id": pa.array(range(200_000), pa.int64()), "s": pa.array(["x"] * 200_000)})
    chosen = {"one": [5], "run": range(1000, 90_000), "scattered": range(0, 200_000, 37), "odd": [i * i for i in range(400)], "far": [0, 65535, 65536, 199_999]}
    for name, ids in chosen.items():
        blobs = {}
        for by in ("calve", "spark"):
            table = f"deep.vector_{name}_{by}"
            d.project.load(table, rows, format_version=3, properties={"write.merge.mode": "merge-on-read", "write.delete.mode": "merge-on-read"})
            if by == "calve":
                d.project.load(table, pa.table({"id": pa.array(ids, pa.int64()), "s": pa.array(["y"] * len(ids))}), write_mode="merge", key=["id"])
            else:
                d.sql(f"CREATE OR REPLACE TEMPORARY VIEW gone AS SELECT explode(array({', '.join(map(str, ids))})) AS id" if len(ids) < 1000 else
                      f"CREATE OR REPLACE TEMPORARY VIEW gone AS SELECT id FROM range({ids.start}, {ids.stop}, {ids.step})",
                      f"DELETE FROM {CATALOG}.{table} WHERE id IN (SELECT id FROM gone)")
            entry = next(e for e in d.sql(f"SELECT file_path, content_offset, content_size_in_bytes FROM {CATALOG}.{table}.delete_files").collect())
            with open(local_path(entry["file_path"]), "rb") as file:
                file.seek(entry["content_offset"])
                blobs[by] = file.read(entry["content_size_in_bytes"])
            if by == "calve":
                puffin = d.java.jvm.org.apache.iceberg.puffin.Puffin.read(d.java.table(table).io().newInputFile(entry["file_path"])).build()
                found = [(b.type(), b.properties()["cardinality"]) for b in puffin.fileMetadata().blobs()]
                puffin.close()
                yield "java", None if found == [("deletion-vector-v1", str(len(ids)))] else f"Java reads the Puffin file as {found}", 15, 1
        yield "java", None if blobs["calve"] == blobs["spark"] else f"{name}: {len(blobs['calve'])} bytes differ from Java's {len(blobs['spark'])}", 14, 1


def deletes_in_turn(d):
    """16, 17: twenty rounds of deletes by calve and Spark in turn, in version 2 too, which is upgraded half way: each vector takes in what was there."""
    for first_version in (2, 3):
        name, rows, rng = f"deep.turns_v{first_version}", {}, random.Random(16)
        def merge(ids, value, **more):
            part = pa.table({"id": pa.array(ids, pa.int64()), "v": pa.array([value] * len(ids), pa.int64())})
            d.project.load(name, part, write_mode="merge", key=["id"], **more)
            rows.update(dict.fromkeys(ids, value))
        merge(list(range(1000)), 0, format_version=first_version, properties={"write.merge.mode": "merge-on-read", "write.delete.mode": "merge-on-read"})
        for round_ in range(1, 21):
            if round_ == 10 and first_version == 2:
                d.calve("table", "alter", name, "upgrade to format 3")
            if round_ % 2:
                merge(sorted(rng.sample(sorted(rows), 20)), round_)
            else:
                gone = rng.sample(sorted(rows), 10)
                d.sql(f"REFRESH TABLE {CATALOG}.{name}", f"DELETE FROM {CATALOG}.{name} WHERE id IN ({', '.join(map(str, gone))})")
                for i in gone:
                    del rows[i]
            d.sql(f"REFRESH TABLE {CATALOG}.{name}")
            by_spark = {row["id"]: row["v"] for row in d.sql(f"SELECT id, v FROM {CATALOG}.{name}").toArrow().to_pylist()}
            by_calve = {row["id"]: row["v"] for row in d.calve.table(f"SELECT id, v FROM {name}").to_pylist()}
            vectors = d.sql(f"SELECT referenced_data_file FROM {CATALOG}.{name}.delete_files WHERE file_format = 'PUFFIN'").collect()
            twice = len(vectors) != len({row[0] for row in vectors})
            fault = ("a data file has two deletion vectors" if twice else f"round {round_}: Spark reads {len(by_spark)} rows of {len(rows)}" if by_spark != rows else
                     f"round {round_}: calve reads {len(by_calve)} rows of {len(rows)}" if by_calve != rows else None)
            yield "spark", fault, 17 if first_version == 2 and round_ >= 10 else 16, 1


def maintenance_by_calve(d):
    """40: the same by calve in tables that Spark wrote, with deletes of each kind: rows stay at main and at the tag, and no file that Spark would keep goes."""
    for version in (2, 3):
        name = f"deep.upkeep_v{version}"
        d.sql(f"CREATE TABLE {CATALOG}.{name} (n bigint, part int) USING iceberg PARTITIONED BY (part) "
              f"TBLPROPERTIES ('format-version'='{version}', 'write.delete.mode'='merge-on-read', 'write.update.mode'='merge-on-read')",
              *(f"INSERT INTO {CATALOG}.{name} SELECT {i * 10} + id, id % 2 FROM range(10)" for i in range(6)),
              f"DELETE FROM {CATALOG}.{name} WHERE n % 10 = 3", f"ALTER TABLE {CATALOG}.{name} CREATE TAG kept",
              *(f"INSERT INTO {CATALOG}.{name} SELECT {i * 10} + id, id % 2 FROM range(10)" for i in range(6, 9)), f"DELETE FROM {CATALOG}.{name} WHERE n % 10 = 4")
        kept = [n for n in range(60) if n % 10 != 3]
        main = [n for n in range(90) if n % 10 != 4 and (n % 10 != 3 or n >= 60)]
        ids = {row["n"]: row["_row_id"] for row in d.sql(f"SELECT n, _row_id FROM {CATALOG}.{name}").collect()} if version == 3 else {}
        for words in (["rewrite-manifests", name], ["compact", name, "--all"], ["rewrite-manifests", name, "--all"], ["expire", name, "--older-than", "0s"],
                      ["orphans", name, "--older-than", "0s", "--delete"]):
            before = entries_as_spark_reads_them(d, name)
            d.calve("table", *words)
            d.sql(f"REFRESH TABLE {CATALOG}.{name}")
            if words[0] == "rewrite-manifests":
                yield "spark", None if entries_as_spark_reads_them(d, name) == before else "after rewrite-manifests: Spark reads other entries"
                manifests = [row["content"] for row in d.sql(f"SELECT content FROM {CATALOG}.{name}.manifests").collect()]
                yield "spark", None if len(manifests) == len(set(manifests)) else f"after rewrite-manifests: {len(manifests)} are left"
            found = [sorted(row["n"] for row in d.sql(f"SELECT n FROM {CATALOG}.{name}{ref}").collect()) for ref in ("", " VERSION AS OF 'kept'")]
            yield "spark", None if found == [main, kept] else f"after {words[0]}: {len(found[0])} and {len(found[1])} rows of {len(main)} and {len(kept)}"
        if version == 3:
            now = {row["n"]: row["_row_id"] for row in d.sql(f"SELECT n, _row_id FROM {CATALOG}.{name}").collect()}
            yield "spark", None if now == ids else "rows have other ids after compaction"
        snapshots = d.sql(f"SELECT snapshot_id FROM {CATALOG}.{name}.snapshots").collect()
        yield "spark", None if len(snapshots) == 2 else f"{len(snapshots)} snapshots are left, not main's and the tag's"


# JSON of every shape, with numbers at the edges of the types that hold them.
JSON_TEXTS = [
    "null", "true", "false", "0", "-128", "127", "128", "-32768", "32768", "2147483647", "-2147483649", "9223372036854775807", "-9223372036854775808", "9223372036854775808",
    "1.50", "-0.001", "0.0000000001", "9999999.99", "99999999.99", "999999999999999.999", "9999999999999999.999", "99999999999999999999.50", "1" + "0" * 37, "1e0", "-2.5E-3",
    "1.7976931348623157e308", '""', '"' + "x" * 63 + '"', '"' + "x" * 64 + '"', '"' + "é" * 40 + '"', '"\\u0000\\n\\"\\ud834\\udd1e"', "[]", "{}", '{"a": {}, "b": []}',
    '{"b": 1, "a": {"b": [2, {"c": null}]}, "": "empty"}', '{"é": 1, "z": 2, "Z": 3}', json.dumps({f"k{i:03}": i for i in range(300)}), json.dumps(list(range(300))),
    json.dumps({"s" * 300: ["t" * 300] * 300}), "[" * 200 + "1" + "]" * 200]


def stored_variants(d, name):
    """Metadata and value of each variant by its row, as they lie in the files; and whether each group says what it is."""
    found, marked = {}, True
    for row in d.sql(f"SELECT file_path FROM {CATALOG}.{name}.data_files").collect():
        with open(local_path(row.file_path), "rb") as file:
            parquet = pyarrow.parquet.ParquetFile(file)
            marked = marked and "Variant" in str(parquet.schema)
            for r in pa.Table.from_batches(parquet.iter_batches()).to_pylist():
                found[r["id"]] = None if r["v"] is None else (r["v"]["metadata"], r["v"]["value"])
    return found, marked


def variants_that_calve_writes(d):
    """25: variants that calve encodes from JSON have the values, types and bytes that Spark's parse_json gives, by every reader that knows variants."""
    # A list of rows in JSON, and the same texts in a column of texts.
    with open(f"{d.folder}/in/variants.json", "w") as out:
        out.writelines(f'{{"id": {i}, "v": {text}}}\n' for i, text in enumerate(JSON_TEXTS))
    d.project.write("config/jobs/variants.yaml", {"source": {"type": "json", "source_path": "in/variants.json", "types": {"v": "variant"}},
                                                  "loader": {"type": "iceberg", "database": "deep", "table": "variants", "format_version": 3}})
    d.calve("run", "variants")
    texts = d.spark.session.createDataFrame([(i, text) for i, text in enumerate(JSON_TEXTS)], "id long, j string")
    texts.createOrReplaceTempView("json_texts")
    # A JSON source's null is NULL, as in every column.
    d.sql(f"CREATE TABLE {CATALOG}.deep.variants_spark (id bigint, v variant) USING iceberg TBLPROPERTIES ('format-version'='3')",
          f"INSERT INTO {CATALOG}.deep.variants_spark SELECT id, CASE WHEN id > 0 THEN parse_json(j) END FROM json_texts")
    shown = [[tuple(row) for row in d.sql(f"SELECT id, to_json(v), schema_of_variant(v) FROM {CATALOG}.{name} ORDER BY id").collect()] for name in ("deep.variants", "deep.variants_spark")]
    yield "spark", first_difference(*shown), 25, len(JSON_TEXTS)
    (mine, marked), (spark, _) = (stored_variants(d, name) for name in ("deep.variants", "deep.variants_spark"))
    yield "spark", None if marked else "a file does not say that the column is a variant"
    # They may differ in the sorted flag, which Spark never sets, and where an object's values lie, which are in calve's in the order of their names.
    plain = lambda side: [(i, v and (bytes([v[0][0] & ~0x10]) + v[0][1:], v[1])) for i, v in sorted(side.items()) if has_names_in_order(json.loads(JSON_TEXTS[i]))]
    yield "spark", first_difference(plain(mine), plain(spark)), 25, len(plain(mine))
    read = [[(record.getField("id"), str(record.getField("v"))) for record in java_records(d, name)] for name in ("deep.variants", "deep.variants_spark")]
    yield "java", first_difference(*map(sorted, read)), 25, len(JSON_TEXTS)
    counts = [[(dict(r["value_counts"]), dict(r["null_value_counts"])) for r in d.sql(f"SELECT value_counts, null_value_counts FROM {CATALOG}.{name}.files").toArrow().to_pylist()]
              for name in ("deep.variants", "deep.variants_spark")]
    total = [[{c: sum(f[k].get(c, 0) for f in side) for c in (1, 2)} for k in (0, 1)] for side in counts]
    yield "java", None if total[0] == total[1] else f"counts {total[0]}, Java's {total[1]}"
    # DuckDB reads Parquet's variants: the same of both writers, whatever it makes of them.
    by_duckdb = []
    for name in ("deep.variants", "deep.variants_spark"):
        paths = [local_path(row.file_path) for row in d.sql(f"SELECT file_path FROM {CATALOG}.{name}.data_files").collect()]
        rows = duckdb.connect().execute("SELECT id, CAST(v AS JSON)::VARCHAR FROM read_parquet(?) ORDER BY id", [paths]).fetchall()
        by_duckdb.append([(i, json_or_text(v)) for i, v in rows])
    yield "duckdb", first_difference(*by_duckdb), 25, len(JSON_TEXTS)


def json_or_text(text):
    """Without the order of fields, where it is JSON: DuckDB prints texts bare."""
    try:
        return text and json.loads(text, parse_float=str)
    except json.JSONDecodeError:
        return text


def has_names_in_order(value):
    if isinstance(value, dict):
        return list(value) == sorted(value) and all(map(has_names_in_order, value.values()))
    return not isinstance(value, list) or all(map(has_names_in_order, value))


def java_records(d, name):
    records = d.java.jvm.org.apache.iceberg.data.IcebergGenerics.read(d.java.table(name)).build().iterator()
    while records.hasNext():
        yield records.next()


def first_difference(mine, theirs):
    if len(mine) != len(theirs):
        return f"{len(mine)} rows, {len(theirs)} expected"
    return next((f"{a!r}, {b!r} expected"[:600] for a, b in zip(mine, theirs) if a != b), None)


def variants_that_calve_rewrites(d):
    """25: variants that Spark wrote, of every type it has, plain and shredded, keep types and bytes when calve compacts, deletes, merges and updates around them."""
    for form, setting in {"plain": "", "shredded": ", 'write.parquet.shred-variants'='true'"}.items():
        name = f"deep.variants_{form}"
        d.sql(f"CREATE TABLE {CATALOG}.{name} (id bigint, v variant, s struct<v: variant>) USING iceberg "
              f"TBLPROPERTIES ('format-version'='3', 'write.delete.mode'='copy-on-write', 'write.merge.mode'='copy-on-write', 'write.update.mode'='copy-on-write'{setting})",
              *(f"INSERT INTO {CATALOG}.{name} " + " UNION ALL ".join(f"SELECT {i}, {sql}, named_struct('v', {sql})" for i, (sql, _) in enumerate(foreign.VARIANTS) if i % 3 == part)
                for part in range(3)))
        state = lambda: {row[0]: tuple(row)[1:] for row in d.sql(f"SELECT id, to_json(v), schema_of_variant(v), to_json(s.v), schema_of_variant(s.v) FROM {CATALOG}.{name}").collect()}
        before, bytes_before = state(), stored_variants(d, name)[0] if form == "plain" else None
        d.calve("table", "compact", name, "--all")
        d.sql(f"REFRESH TABLE {CATALOG}.{name}")
        files = d.sql(f"SELECT file_path FROM {CATALOG}.{name}.data_files").collect()
        yield "spark", None if len(files) == 1 else f"{form}: {len(files)} files after compaction"
        yield "spark", first_difference(sorted(state().items()), sorted(before.items())), 25, len(before)
        if form == "plain":
            yield "spark", first_difference(sorted(stored_variants(d, name)[0].items()), sorted(bytes_before.items())), 25, len(before)
        d.calve("query", f"DELETE FROM {name} WHERE id = 0")
        d.project.write(f"config/jobs/variants_{form}.yaml", {
            "source": {"type": "inline", "rows": [{"id": 1, "v": '{"new": 1.50}'}]},
            "loader": {"type": "iceberg", "database": "deep", "table": f"variants_{form}", "write_mode": "merge", "key": ["id"]}})
        d.calve("run", f"variants_{form}")
        d.calve("query", f"UPDATE {name} SET id = id + 2000, s = NULL WHERE id % 2 = 0")
        d.calve("query", f"MERGE INTO {name} t USING (VALUES (3), (5)) n(id) ON t.id = n.id WHEN MATCHED AND n.id = 3 THEN UPDATE SET id = 3003, s = NULL "
                         f"WHEN MATCHED THEN UPDATE SET v = to_json(n.id), s = NULL WHEN NOT MATCHED BY SOURCE AND t.id = 7 THEN UPDATE SET id = 3007, s = NULL")
        d.calve("query", f"""INSERT INTO {name} VALUES (1000, '[1, "two"]', {{'v': '3.0'}})""")
        d.sql(f"REFRESH TABLE {CATALOG}.{name}")
        moved = lambda i: i + 2000 if i % 2 == 0 else i + 3000 if i in (3, 7) else i
        wanted = {moved(i): row if moved(i) == i else (*row[:2], None, None) for i, row in before.items() if i != 0}
        wanted[5] = ("5", "BIGINT", None, None)
        wanted[1] = ('{"new":1.5}', "OBJECT<new: DECIMAL(2,1)>", None, None)
        wanted[1000] = ('[1,"two"]', "ARRAY<VARIANT>", "3", "DECIMAL(1,0)")
        yield "spark", first_difference(sorted(state().items()), sorted(wanted.items())), 25, len(wanted)
        if form == "plain":
            now, moved_bytes = stored_variants(d, name)[0], {moved(i): (i, stored) for i, stored in bytes_before.items() if i % 2 == 0 and i > 0}
            yield "spark", next((f"row {i}: {now[new]}, {stored} expected" for new, (i, stored) in moved_bytes.items() if now[new] != stored), None), 25, len(moved_bytes)


def entries_as_spark_reads_them(d, name):
    """Live files with their snapshots and numbers."""
    sql = f"SELECT data_file.file_path, data_file.content, snapshot_id, sequence_number, file_sequence_number FROM {CATALOG}.{name}.entries WHERE status < 2"
    return sorted(map(tuple, d.sql(sql).collect()), key=str)


def maintenance_by_java(d):
    """40: snapshots expired, orphans removed, files compacted and manifests rewritten by Spark in tables that calve wrote: the rows stay."""
    for version in (2, 3):
        name = f"deep.kept_v{version}"
        for i in range(6):
            d.project.load(name, pa.table({"n": pa.array(range(i * 10, i * 10 + 10), pa.int64())}), format_version=version, partition_by=["bucket(2, n)"])
        d.calve("table", "tag", name, "kept")
        for i in range(6, 9):
            d.project.load(name, pa.table({"n": pa.array(range(i * 10, i * 10 + 10), pa.int64())}))
        for call in (f"rewrite_manifests('{name}')", f"rewrite_data_files(table => '{name}', options => map('rewrite-all', 'true'))",
                     f"expire_snapshots(table => '{name}', older_than => TIMESTAMP '2100-01-01 00:00:00', retain_last => 1)", f"remove_orphan_files(table => '{name}')"):
            d.sql(f"CALL {CATALOG}.system.{call}")
            main = sorted(d.calve.table(f"SELECT n FROM {name}").column("n").to_pylist())
            kept = sorted(d.calve.table(f"SELECT n FROM {name}@kept").column("n").to_pylist())
            yield "spark", None if (main, kept) == (list(range(90)), list(range(60))) else f"after {call}: {len(main)} and {len(kept)} rows"


CHECKS = [(5, manifests_as_rust_reads_them), (6, avro_as_java_writes_it), (8, hashes_of_a_million), (9, transforms_of_many), (10, metrics_as_java_writes_them),
          (19, sequence_numbers), (20, row_ids), (21, schemas_of_three_writers), (27, names_of_metadata_files), (36, old_jdbc_catalog), (14, vectors_bit_for_bit), (16, deletes_in_turn),
          (25, variants_that_calve_writes), (25, variants_that_calve_rewrites), (40, maintenance_by_calve), (40, maintenance_by_java)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("calve")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL + 1)
    folder = tempfile.mkdtemp(prefix="calve-deep-")
    d = Deep(os.path.abspath(options.calve), folder)
    counts = collections.Counter()
    for check, make in CHECKS:
        if options.only not in make.__name__:
            continue
        began, before = time.monotonic(), counts.total()
        try:
            for engine, fault, *more in make(d):
                number, times = more or (check, 1)
                counts["failed" if fault else "equal"] += 1
                matrix.record(number, engine, "failed" if fault else "equal", fault or "", times)
                if fault:
                    print(f"  {make.__name__} by {engine}: {fault[:900]}", flush=True)
        except Exception as error:
            counts["failed"] += 1
            said = "".join(traceback.format_exception_only(error)).strip().splitlines()[0]
            matrix.record(check, "calve", "failed", said)
            print(f"  {make.__name__}: {said[:1500]} ({traceback.extract_tb(error.__traceback__)[-1]})", flush=True)
        print(f"{make.__name__}: {counts.total() - before} comparisons, {time.monotonic() - began:.0f} s", flush=True)
    d.spark.session.stop()
    shutil.rmtree(folder, ignore_errors=True)
    print(f"deep: {counts['equal']} equal, {counts['failed']} failed")
    sys.exit(1 if counts["failed"] else 0)


if __name__ == "__main__":
    main()
