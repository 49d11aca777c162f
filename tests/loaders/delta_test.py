#!/usr/bin/env python3
"""Tables of Delta Lake that calve writes are read by the deltalake package, and the other way round: types, partitions, drift, checkpoints,
overwrites, the quarantine, what is refused; on a disk and in S3.

usage: delta_test.py CALVE      starts an S3 of tests/services by itself
"""
import datetime, decimal, json, os, shutil, subprocess, sys, tempfile

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

CALVE = sys.argv[1]
HERE = os.path.dirname(os.path.abspath(__file__))
UTC = datetime.timezone.utc


class Project:
    """A project folder with jobs that load into one table."""

    def __init__(self, location=None, settings=""):
        self.folder = os.path.realpath(tempfile.mkdtemp(prefix="calve_delta_"))
        self.location = location or f"{self.folder}/lake/t"
        for name in ("config/jobs", "contracts", "in"):
            os.makedirs(f"{self.folder}/{name}")
        if settings:
            self.write("calve.yaml", settings)

    def write(self, name, text):
        open(f"{self.folder}/{name}", "w").write(text)

    def job(self, source, name="t", **options):
        loader = {"type": "delta", "location": self.location, "table": "demo.t", **options}
        self.write(f"config/jobs/{name}.yaml", f"source: {source}\nloader: {json.dumps(loader)}\n")

    def calve(self, *arguments, exit=0):
        ended = subprocess.run([CALVE, "-C", self.folder, *arguments], capture_output=True, text=True)
        assert ended.returncode == exit, f"{arguments} ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}"
        return ended.stdout + ended.stderr

    def table(self, suffix="", **options):
        return DeltaTable(self.location + suffix, **options)

    def rows(self, suffix="", **options):
        return sorted(self.table(suffix, **options).to_pyarrow_table().to_pylist(), key=lambda row: row.get("id") or 0)


def types_and_statistics():
    """Every type comes back as it was, and the statistics leave out no file that has rows."""
    project = Project()
    day, moment = datetime.date(2026, 11, 1), datetime.datetime(2026, 11, 1, 10, 0, 0, 123457)
    rows = [{"id": 1, "i": -5, "f": 1.5, "d": -2.5, "b": True, "n": decimal.Decimal("12345678901234567890.123456789"), "s": "é'\"",
             "bin": b"\x00\xff", "day": day, "at": moment.replace(tzinfo=UTC), "local": moment, "tags": ["x", None],
             "at_home": {"city": "Oslo", "rooms": 3}, "sizes": [("a", 1)]},
            {"id": 2, **{k: None for k in ("i", "f", "d", "b", "n", "s", "bin", "day", "at", "local", "tags", "at_home", "sizes")}}]
    schema = pa.schema([("id", pa.int64()), ("i", pa.int32()), ("f", pa.float32()), ("d", pa.float64()), ("b", pa.bool_()),
                        ("n", pa.decimal128(38, 9)), ("s", pa.string()), ("bin", pa.binary()), ("day", pa.date32()),
                        ("at", pa.timestamp("us", "UTC")), ("local", pa.timestamp("us")), ("tags", pa.list_(pa.string())),
                        ("at_home", pa.struct([("city", pa.string()), ("rooms", pa.int32())])), ("sizes", pa.map_(pa.string(), pa.int64()))])
    import pyarrow.parquet as pq
    pq.write_table(pa.Table.from_pylist(rows, schema), f"{project.folder}/in/a.parquet")
    project.job("{type: parquet, source_path: in/}")
    project.calve("run", "t")
    table = project.table()
    assert table.protocol().min_reader_version == 3 and "timestampNtz" in table.protocol().reader_features, table.protocol()
    found = project.rows()
    assert found == rows, f"{found}\n{rows}"
    for column, value in (("i", -5), ("day", day), ("at", rows[0]["at"]), ("s", rows[0]["s"]), ("d", -2.5)):
        kept = table.to_pyarrow_table(filters=[(column, "=", value)])
        assert kept.column("id").to_pylist() == [1], f"{column} = {value} finds {kept.to_pylist()}"
    adds = table.get_add_actions(flatten=True)
    actions = pa.table(adds).to_pylist()
    assert sum(a["num_records"] for a in actions) == 2 and actions[0]["null_count.i"] == 1, actions


def partitions_drift_and_both_writers():
    """Partitioned files, a new column, entries of another writer in between, a checkpoint, and each incremental file once."""
    project = Project()
    project.write("contracts/demo.t.yaml", "columns:\n  id: {type: long}\n  kind: {type: string, accepted_values: [a, b c, d/e%], severity: quarantine}\n"
                                           "checks:\n  - unique: [id]\n")
    project.write("in/1.csv", "id,kind,day\n1,a,2026-11-01\n2,b c,2026-11-02\n3,x,2026-11-02\n4,,2026-11-02\n")
    project.job("{type: csv, source_path: in/, incremental: true}", partition_by=["kind", "day"])
    said = project.calve("run", "t")
    assert "2 quarantined" in said or "1 quarantined" in said, said
    held = len(project.rows("__quarantine"))
    assert project.table().metadata().partition_columns == ["kind", "day"]
    assert {(r["id"], r["kind"], str(r["day"])) for r in project.rows()} >= {(1, "a", "2026-11-01"), (2, "b c", "2026-11-02")}
    # Another writer appends, and makes a checkpoint: the entries before it may go.
    before = len(project.rows())
    other = project.table().to_pyarrow_table().slice(0, 1).to_pylist()[0]
    other["id"] = 100
    write_deltalake(project.location, pa.Table.from_pylist([other], schema=pa.schema(project.table().schema().to_arrow())), mode="append")
    project.table().create_checkpoint()
    for name in os.listdir(f"{project.location}/_delta_log"):
        if name.endswith(".json") and int(name[:20]) < project.table().version():
            os.remove(f"{project.location}/_delta_log/{name}")
    project.write("in/2.csv", "id,kind,day,note\n5,d/e%,2026-11-03,new\n")
    assert "note string" in project.calve("run", "t")
    rows = project.rows()
    assert len(rows) == before + 2 and rows[-1]["id"] == 100, rows
    assert [r["note"] for r in rows if r["id"] == 5] == ["new"] and rows[0]["note"] is None, rows
    # Nothing new; an id of the other writer's rows: the audit reads them too, and nothing is changed.
    assert "nothing new" in project.calve("run", "t")
    version = project.table().version()
    project.write("in/3.csv", "id,kind,day,note\n100,a,2026-11-03,again\n")
    assert "unique(id)" in project.calve("run", "t", exit=4)
    assert project.table().version() == version
    project.write("in/3.csv", "id,kind,day,note\n101,a,2026-11-03,mended\n")
    project.calve("run", "t")
    assert [r["id"] for r in project.rows()][-2:] == [100, 101]
    assert len(project.rows("__quarantine")) == held
    applications = project.table().transaction_version("calve.t")
    assert applications and applications >= 3, applications


def overwrites():
    """The rows of a load take the place of all others; older versions stay readable; an empty source is refused."""
    project = Project()
    project.job("{type: csv, source_path: in/}", write_mode="overwrite")
    for text in ("id\n1\n2\n", "id\n3\n"):
        project.write("in/a.csv", text)
        project.calve("run", "t")
    assert [r["id"] for r in project.rows()] == [3]
    assert len(DeltaTable(project.location, version=0).to_pyarrow_table()) == 2
    project.write("in/a.csv", "id\nx\n")
    assert "would only take rows away" in project.calve("run", "t", exit=3)
    assert [r["id"] for r in project.rows()] == [3]
    write_deltalake(f"{project.folder}/lake/only", pa.table({"id": [1]}), configuration={"delta.appendOnly": "true"})
    project.location = f"{project.folder}/lake/only"
    project.write("in/a.csv", "id\n3\n")
    project.job("{type: csv, source_path: in/}", write_mode="overwrite")
    assert "delta.appendOnly" in project.calve("plan", "t", exit=1)


def refusals():
    """What calve cannot keep is said by the plan."""
    project = Project()
    project.write("in/a.csv", "id,name\n1,a\n")
    source = "{type: csv, source_path: in/}"

    def refused(reason, exit, **options):
        project.job(source, **options)
        said = project.calve("plan", "t", exit=exit)
        assert reason in said, said

    table = pa.table({"id": pa.array([1], pa.int64()), "name": ["a"]})
    write_deltalake(f"{project.folder}/lake/mapped", table)
    DeltaTable(f"{project.folder}/lake/mapped").alter.add_constraint({"positive": "id > 0"})
    refused("CHECK constraint positive", 1, location=f"{project.folder}/lake/mapped")
    write_deltalake(f"{project.folder}/lake/parts", table, partition_by=["name"])
    refused("is partitioned by [name]", 2, location=f"{project.folder}/lake/parts", partition_by=["id"])
    refused("there is no column 'nmae'", 2, partition_by=["nmae"])
    source = "{type: inline, rows: [{id: 00000000-0000-4000-8000-000000000001}]}"
    project.write("contracts/demo.t.yaml", "columns: {id: {type: uuid}}\n")
    refused("which Delta has no type for", 1)


def on_s3():
    """The same in S3, whose conditional writes keep one of two entries."""
    endpoint, key, secret = (os.environ[f"CALVE_TEST_S3_{n}"] for n in ("ENDPOINT", "KEY", "SECRET"))
    settings = f"storage: {{s3.endpoint: '{endpoint}', s3.path-style-access: true, s3.access-key-id: '{key}', s3.secret-access-key: '{secret}'}}\n"
    project = Project(f"s3://delta-{os.getpid()}/lake/t", settings)
    project.write("in/1.csv", "id,kind\n1,a\n2,b\n")
    project.job("{type: csv, source_path: in/, incremental: true}", partition_by=["kind"])
    project.calve("run", "t")
    project.write("in/2.csv", "id,kind\n3,a\n")
    project.calve("run", "t")
    options = {"AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_REGION": "us-east-1",
               "AWS_ALLOW_HTTP": "true"}
    rows = project.rows(storage_options=options)
    assert [r["id"] for r in rows] == [1, 2, 3], rows


def main():
    if "CALVE_TEST_S3_ENDPOINT" not in os.environ:
        sys.exit(subprocess.run([f"{HERE}/../services/with", "s3.sh", "--", sys.executable] + sys.argv).returncode)
    for test in (types_and_statistics, partitions_drift_and_both_writers, overwrites, refusals, on_s3):
        test()
        print(f"ok  {test.__name__}", flush=True)
    os._exit(0)  # The threads of the package's S3 client may outlive the interpreter, which then aborts.


if __name__ == "__main__":
    main()
