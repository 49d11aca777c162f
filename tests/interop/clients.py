#!/usr/bin/env python3
"""calve as a client of Iceberg's REST server, of Nessie's own API and of Nessie's REST door: the same steps on each, and PyIceberg reads what came of them.

usage: tests/services/with s3.sh nessie.sh rest_reference.sh -- build/interop/venv/bin/python tests/interop/clients.py CALVE       after tests/interop/setup
"""
import json, os, re, shutil, subprocess, sys, tempfile
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import pyarrow.fs
from pyiceberg.catalog import load_catalog
import matrix

CHECK = 32  # of docs/interop.md
BUCKET = "calve-catalogs"
KEYS = {"s3.endpoint": "CALVE_TEST_S3_ENDPOINT", "s3.access-key-id": "CALVE_TEST_S3_KEY", "s3.secret-access-key": "CALVE_TEST_S3_SECRET"}
FAULTS = []
# A server that can't, words of what calve then says, and the cause.
KNOWN = {"nessie's REST door": ("keeps no branches in a table", "Nessie's REST door keeps no branch of Iceberg's in a table (projectnessie/nessie#9634), so that nothing "
                                                           "can be staged in one: the catalog nessie is the way")}


class Project:
    def __init__(self, name, root, catalog, warehouse=None):
        self.name, self.folder, self.loads = name, f"{root}/{name}", 0
        os.makedirs(f"{self.folder}/config/jobs")
        storage = {key: os.environ[variable] for key, variable in KEYS.items()} | {"s3.region": "us-east-1", "s3.path-style-access": "true"}
        with open(f"{self.folder}/calve.yaml", "w") as out:
            json.dump({"catalogs": {"lake": catalog}, "storage": storage, **({"warehouse": warehouse} if warehouse else {})}, out)

    def calve(self, *words):
        run = subprocess.run([PROGRAM, "-C", self.folder, *words], capture_output=True, text=True, timeout=120)
        if run.returncode != 0:
            raise RuntimeError(f"calve {' '.join(words)} ended with {run.returncode}: {run.stderr.strip() or run.stdout.strip()}")
        return run.stdout

    def load(self, types, rows, **loader):
        self.loads += 1
        with open(f"{self.folder}/config/jobs/load_{self.loads}.yaml", "w") as out:
            json.dump({"source": {"type": "inline", "types": types, "rows": rows}, "loader": {"type": "iceberg", "database": "shop", "table": "orders", **loader}}, out)
        return self.calve("run", f"load_{self.loads}")

    def ids(self):
        said = self.calve("query", "--format", "csv", "--limit", "0", "SELECT id FROM shop.orders ORDER BY id").split()
        return [int(line) for line in said[1:]]


def steps(project, python):
    """Make, add, change the columns, partition, replace: after each calve and PyIceberg see the same rows."""
    def seen(expected):
        theirs = python().load_table("shop.orders").scan().to_arrow().column("id").to_pylist()
        for engine, found in (("calve", project.ids()), ("pyiceberg", sorted(theirs))):
            if found != expected:
                raise AssertionError(f"{engine} sees {found}, expected {expected}")

    def make():
        project.load({"id": "long", "day": "date"}, [{"id": 1, "day": "2026-01-01"}, {"id": 2, "day": "2026-02-01"}])
        seen([1, 2])

    def add():
        project.load({"id": "long", "day": "date"}, [{"id": 3, "day": "2026-03-01"}])
        seen([1, 2, 3])

    def evolve():
        project.calve("table", "alter", "shop.orders", "add note string", "partition by month(day)")
        project.load({"id": "long", "day": "date", "note": "string"}, [{"id": 4, "day": "2026-03-02", "note": "n"}])
        seen([1, 2, 3, 4])

    def replace():
        project.load({"id": "long", "day": "date", "note": "string"}, [{"id": 9, "day": "2026-05-02", "note": "n"}], write_mode="overwrite")
        seen([9])

    def properties():
        told = python().load_table("shop.orders")
        names = [field.name for field in told.schema().fields]
        if names != ["id", "day", "note"] or [field.name for field in told.spec().fields] != ["day_month"]:
            raise AssertionError(f"columns {names}, partition {told.spec()}")

    def drop():
        project.calve("table", "drop", "shop.orders", "--yes")
        if python().table_exists("shop.orders"):
            raise AssertionError("PyIceberg still sees the table")
    return [make, add, evolve, replace, properties, drop]


def go(name, project, python):
    for step in steps(project, python):
        try:
            step()
            matrix.record(CHECK, name, "equal")
        except Exception as error:
            words, cause = KNOWN.get(name, ("", ""))
            if words and words in str(error):
                matrix.record(CHECK, name, "known", f"{step.__name__}: {cause}")
                return
            said = f"{step.__name__}: {type(error).__name__}: {str(error).strip().splitlines()[0][:400]}"
            matrix.record(CHECK, name, "failed", said)
            FAULTS.append(f"{name}, {said}")
            print(f"  {FAULTS[-1]}", flush=True)
            return


PROGRAM = os.path.abspath(sys.argv[1])
root = tempfile.mkdtemp(prefix="calve-clients-")
store = pyarrow.fs.S3FileSystem(access_key=os.environ["CALVE_TEST_S3_KEY"], secret_key=os.environ["CALVE_TEST_S3_SECRET"], scheme="http", allow_bucket_creation=True,
                                endpoint_override=re.sub("^http://", "", os.environ["CALVE_TEST_S3_ENDPOINT"]))
store.create_dir(BUCKET)
s3 = {key: os.environ[variable] for key, variable in KEYS.items()} | {"s3.region": "us-east-1"}
reference, nessie, door = (os.environ[name] for name in ("CALVE_TEST_REST", "CALVE_TEST_NESSIE", "CALVE_TEST_NESSIE_REST"))
go("Iceberg's server", Project("reference", root, {"type": "rest", "uri": reference, "warehouse": f"{root}/lake"}),
   lambda: load_catalog("reference", type="rest", uri=reference, warehouse=f"{root}/lake"))
# What calve commits by Nessie's API, PyIceberg sees through Nessie's REST door: each in a branch of its own.
for name, catalog, warehouse in (("nessie", {"type": "nessie", "uri": nessie}, f"s3://{BUCKET}/nessie/native"), ("nessie's REST door", {"type": "rest", "uri": door}, None)):
    go(name, Project(re.sub("[^a-z]", "_", name), root, catalog, warehouse), lambda: load_catalog("door", type="rest", uri=door, **s3))
shutil.rmtree(root, ignore_errors=True)
print(f"clients: calve on Iceberg's REST server, Nessie and Nessie's REST door, {len(FAULTS)} failed")
sys.exit(1 if FAULTS else 0)
