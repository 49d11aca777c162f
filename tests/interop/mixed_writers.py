#!/usr/bin/env python3
"""calve, PyIceberg and Spark append to one table at once through `calve catalog serve`; every acknowledged row is there once.

usage: build/interop/venv/bin/python tests/interop/mixed_writers.py CALVE [--commits 100]      after tests/interop/setup

Three writers are calve processes, three PyIceberg, two Spark. Each appends its next row until its commits are acknowledged; a commit that failed
for certain is made again, and one whose outcome its client can't tell is looked for. In the end PyIceberg counts the rows and looks for each
data file of each snapshot.
"""
import argparse, collections, json, logging, os, re, shutil, subprocess, sys, tempfile, threading, time
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import pyarrow as pa
import matrix
from engines import Spark
from pyiceberg.catalog import load_catalog
from pyiceberg.exceptions import CommitFailedException, CommitStateUnknownException

HERE = os.path.dirname(os.path.abspath(__file__))
CHECK = 33  # of docs/interop.md
SCHEMA = pa.schema([("id", pa.int64()), ("writer", pa.string())])
TABLE = "shop.all"
MAKERS = ["calve", "pyiceberg", "spark", "calve", "pyiceberg", "spark", "calve", "pyiceberg"]


class Writer(threading.Thread):
    """Appends `commits` rows, each in a commit of its own; `append` says whether it was acknowledged."""

    def __init__(self, number, maker, commits, append):
        super().__init__(name=f"{maker}-{number}")
        self.ids = range(number * 1_000_000, number * 1_000_000 + commits)
        self.maker, self.append = maker, append
        self.acknowledged, self.waits, self.again, self.error = [], [], 0, None

    def run(self):
        try:
            for row in self.ids:
                began = time.monotonic()
                while not self.append(row):
                    self.again += 1
                    if time.monotonic() - began > 300:
                        raise TimeoutError(f"row {row} was not taken within 300 s")
                self.acknowledged.append(row)
                self.waits.append(time.monotonic() - began)
        except Exception as error:
            self.error = f"{type(error).__name__}: {str(error)[:600]}"


def by_calve(program, uri, folder, number):
    project = f"{folder}/client{number}"
    os.makedirs(f"{project}/config/jobs")
    os.makedirs(f"{project}/in")
    with open(f"{project}/calve.yaml", "w") as out:
        out.write(f"catalogs:\n  lake: {{type: rest, uri: '{uri}'}}\n")
    database, name = TABLE.split(".")
    job = {"source": {"type": "csv", "source_path": "in/", "incremental": True}, "loader": {"type": "iceberg", "database": database, "table": name}}
    with open(f"{project}/config/jobs/writer_{number}.yaml", "w") as out:
        json.dump(job, out)

    def append(row):
        place = f"{project}/in/{row:010}.csv"
        if not os.path.exists(place):  # a job that failed finds the same file again
            with open(place, "w") as out:
                out.write(f"id,writer\n{row},calve\n")
        run = subprocess.run([program, "-C", project, "run", f"writer_{number}"], capture_output=True, text=True)
        if run.returncode not in (0, 1):
            raise RuntimeError(f"calve ended with {run.returncode}: {run.stderr.strip()}")
        return run.returncode == 0
    return append


def by_pyiceberg(uri):
    catalog = load_catalog("lake", type="rest", uri=uri)

    def append(row):
        token = f"{row}"
        try:
            catalog.load_table(TABLE).append(pa.table({"id": [row], "writer": ["pyiceberg"]}, SCHEMA), snapshot_properties={"token": token})
            return True
        except CommitFailedException:
            return False
        except CommitStateUnknownException:
            return any(s.summary and s.summary.additional_properties.get("token") == token for s in catalog.load_table(TABLE).metadata.snapshots)
    return append


def by_spark(spark):
    session = spark.session.newSession()

    def append(row):
        try:
            session.sql(f"INSERT INTO lake.{TABLE} VALUES ({row}, 'spark')")
            return True
        except Exception as error:
            if "CommitFailedException" in str(error):
                return False
            raise
    return append


def missing_files(table):
    """Data files that a snapshot refers to and that are not there. Snapshots share manifests: each is read once."""
    manifests = {m.manifest_path: m for snapshot in table.metadata.snapshots for m in snapshot.manifests(table.io)}
    files = {e.data_file.file_path for m in manifests.values() for e in m.fetch_manifest_entry(table.io, discard_deleted=True)}
    return len(files), [path for path in files if not os.path.exists(re.sub("^file:(//)?", "", path))]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("calve")
    parser.add_argument("--commits", type=int, default=100)
    options = parser.parse_args()
    program = os.path.abspath(options.calve)
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL + 1)
    folder = tempfile.mkdtemp(prefix="calve-mixed-")
    with open(f"{folder}/calve.yaml", "w") as out:
        out.write(f"catalogs: {{lake: {{type: sql}}}}\nwarehouse: file://{folder}/lake\n")
    serving = subprocess.Popen([program, "-C", folder, "catalog", "serve", "--host", "127.0.0.1", "--port", "0"], stdout=subprocess.PIPE, text=True)
    spark = None
    try:
        uri = re.search(r"http://[0-9.:]+", serving.stdout.readline())[0]
        catalog = load_catalog("lake", type="rest", uri=uri)
        catalog.create_namespace("shop")
        # Iceberg's clients give up after four attempts unless the table says otherwise.
        catalog.create_table(TABLE, schema=SCHEMA, properties={"commit.retry.num-retries": "100", "commit.retry.total-timeout-ms": "600000",
                                                               "commit.retry.min-wait-ms": "20", "commit.retry.max-wait-ms": "1000"})
        java_home = subprocess.run([f"{HERE}/java_home"], capture_output=True, text=True, check=True).stdout.strip()
        spark = Spark(folder, f"{HERE}/../../build/interop/jars", java_home)
        for key, value in {"": "org.apache.iceberg.spark.SparkCatalog", ".type": "rest", ".uri": uri, ".cache-enabled": "false"}.items():
            spark.session.sparkContext._jsc.sc().conf().set(f"spark.sql.catalog.lake{key}", value)
            spark.session.conf.set(f"spark.sql.catalog.lake{key}", value)
        makes = {"calve": lambda n: by_calve(program, uri, folder, n), "pyiceberg": lambda n: by_pyiceberg(uri), "spark": lambda n: by_spark(spark)}
        writers = [Writer(number, maker, options.commits, makes[maker](number)) for number, maker in enumerate(MAKERS)]
        began = time.monotonic()
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        took = time.monotonic() - began
        table = catalog.load_table(TABLE)
        rows = collections.Counter(table.scan().to_arrow().column("id").to_pylist())
        acknowledged = collections.Counter(row for writer in writers for row in writer.acknowledged)
        files, missing = missing_files(table)
    finally:
        if spark:
            spark.session.stop()
        serving.terminate()
        serving.wait()
    faults = [f"{writer.name}: {writer.error}" for writer in writers if writer.error]
    if rows != acknowledged:
        faults.append(f"rows are not as acknowledged: {sum((acknowledged - rows).values())} missing, {sum((rows - acknowledged).values())} not expected: "
                      f"{sorted((rows - acknowledged) + (acknowledged - rows))[:5]}")
    if missing:
        faults.append(f"{len(missing)} files are referred to and missing: {missing[0]}")
    for maker in sorted(set(MAKERS)):
        waits = sorted(wait for writer in writers if writer.maker == maker for wait in writer.waits)
        again = sum(writer.again for writer in writers if writer.maker == maker)
        if waits:
            print(f"{maker}: {len(waits)} commits, median {waits[len(waits) // 2]:.2f} s, longest {waits[-1]:.2f} s, {again} made again by the writer")
        matrix.record(CHECK, maker, "failed" if faults else "equal", "; ".join(faults), len(waits))
    for fault in faults:
        print(fault)
    print(f"mixed writers: {sum(acknowledged.values())} commits acknowledged, {sum(rows.values())} rows, {len(table.metadata.snapshots)} snapshots, "
          f"{files} data files, all there: {'no' if missing else 'yes'}; {took:.0f} s")
    shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if faults else 0)


main()
