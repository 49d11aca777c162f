#!/usr/bin/env python3
"""What PyIceberg, DuckDB, Spark, Trino, Flink and calve do to tables through `calve catalog serve`, each reading what the others left.

usage: tests/services/with [trino.sh] [flink.sh] -- build/interop/venv/bin/python served.py CALVE [--catalog YAML]

Each writer makes a table, appends, adds a column, appends again, and makes a branch with one row more. All must then read the same rows, on main
and on the branch; after it the table is renamed, found under its new name, and dropped. What an engine has no words for stands in LACKS, with its
cause; when it finds the words, the run fails. Clients sign in with id and secret (OAuth2), which calve's server demands. Run
tests/interop/setup first; Trino and Flink take part where their services run.
"""
import argparse, json, logging, os, re, shutil, subprocess, sys, tempfile
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import pyarrow as pa
import matrix
from engines import Spark
from sql_servers import Flink, SqlError, Trino

HERE = os.path.dirname(os.path.abspath(__file__))
SECRET = "a secret of the test's clients"
ROWS = [{"id": 1, "name": "ä", "amount": None}, {"id": 2, "name": None, "amount": None}, {"id": 3, "name": "c", "amount": 7}]
BRANCH_ROW = {"id": 4, "name": "on the branch", "amount": 8}


CHECK = 31  # of docs/interop.md
# Steps that an engine can't do: words of what it says, and the cause.
NO_BRANCHES = "its Iceberg connector reads branches, and neither makes them nor writes to them (trinodb/trino#12844)"
LACKS = {
    "trino makes a branch": ("does not support creating branches", NO_BRANCHES),
    "trino writes to a branch": ("Branch 'extra' does not exist", NO_BRANCHES),
}


class ByPyIceberg:
    name, has_branches, renames = "pyiceberg", True, True

    def __init__(self, uri):
        from pyiceberg.catalog import load_catalog
        self.catalog = load_catalog("pyiceberg", type="rest", uri=uri, credential=f"client:{SECRET}")

    def write(self, table):
        from pyiceberg.types import LongType
        schema = pa.schema([("id", pa.int64()), ("name", pa.string())])
        made = self.catalog.create_table(table, schema=schema)
        made.append(pa.Table.from_pylist(ROWS[:2], schema=schema))
        with made.update_schema() as update:
            update.add_column("amount", LongType())
        wide = schema.append(pa.field("amount", pa.int64()))
        made.append(pa.Table.from_pylist(ROWS[2:], schema=wide))
        self.make_branch(table)
        self.fill_branch(table)

    def make_branch(self, table):
        made = self.catalog.load_table(table)
        made.manage_snapshots().create_branch(made.current_snapshot().snapshot_id, "extra").commit()

    def fill_branch(self, table):
        made = self.catalog.load_table(table)
        made.append(pa.Table.from_pylist([BRANCH_ROW], schema=made.schema().as_arrow()), branch="extra")

    def read(self, table, branch=None):
        scan = self.catalog.load_table(table).scan()
        return (scan.use_ref(branch) if branch else scan).to_arrow()

    def rename(self, table, to):
        self.catalog.rename_table(table, to)

    def drop(self, table):
        self.catalog.drop_table(table)


class ByDuckDb:
    name, has_branches, renames = "duckdb", False, False

    def __init__(self, uri, python):
        import duckdb, importlib
        self.python = python
        self.connection = duckdb.connect()
        self.connection.execute("SET autoinstall_known_extensions=false")
        for extension in ("avro", "httpfs", "iceberg"):
            folder = importlib.import_module(f"duckdb_extension_{extension}").__path__[0]
            self.connection.execute(f"LOAD '{folder}/extensions/v{duckdb.__version__}/{extension}.duckdb_extension'")
        quoted = SECRET.replace("'", "''")
        self.connection.execute(f"ATTACH 'lake' AS lake (TYPE iceberg, ENDPOINT '{uri}', CLIENT_ID 'client', CLIENT_SECRET '{quoted}', "
                                f"OAUTH2_SERVER_URI '{uri}/v1/oauth/tokens')")

    def run(self, sql):
        return self.connection.execute(sql)

    def write(self, table):
        self.run(f"CREATE TABLE lake.{table} (id BIGINT, name VARCHAR)")
        self.run(f"INSERT INTO lake.{table} VALUES (1, 'ä'), (2, NULL)")
        self.run(f"ALTER TABLE lake.{table} ADD COLUMN amount BIGINT")
        self.run(f"INSERT INTO lake.{table} VALUES (3, 'c', 7)")

    def read(self, table, branch=None):
        # It has no names for branches, and reads what a branch's snapshot is.
        at = f" AT (VERSION => {self.python.load_table(table).metadata.refs[branch].snapshot_id})" if branch else ""
        return self.run(f"SELECT * FROM lake.{table}{at}").to_arrow_table()

    def drop(self, table):
        self.run(f"DROP TABLE lake.{table}")


class BySpark:
    name, has_branches, renames = "spark", True, True

    def __init__(self, uri, folder):
        java_home = subprocess.run([f"{HERE}/java_home"], capture_output=True, text=True, check=True).stdout.strip()
        self.spark = Spark(folder, f"{HERE}/../../build/interop/jars", java_home)
        settings = {"": "org.apache.iceberg.spark.SparkCatalog", ".type": "rest", ".uri": uri, ".credential": f"client:{SECRET}",
                    ".cache-enabled": "false"}
        for key, value in settings.items():
            self.spark.session.conf.set(f"spark.sql.catalog.lake{key}", value)

    def run(self, sql):
        return self.spark.sql(sql)

    def write(self, table):
        self.run(f"CREATE TABLE lake.{table} (id BIGINT, name STRING) USING iceberg")
        self.run(f"INSERT INTO lake.{table} VALUES (1, 'ä'), (2, NULL)")
        self.run(f"ALTER TABLE lake.{table} ADD COLUMN amount BIGINT")
        self.run(f"INSERT INTO lake.{table} VALUES (3, 'c', 7)")
        self.run(f"ALTER TABLE lake.{table} CREATE BRANCH extra")
        self.run(f"INSERT INTO lake.{table}.branch_extra VALUES (4, 'on the branch', 8)")

    def read(self, table, branch=None):
        return self.run(f"SELECT * FROM lake.{table}" + (f" VERSION AS OF '{branch}'" if branch else "")).toArrow()

    def rename(self, table, to):
        self.run(f"ALTER TABLE lake.{table} RENAME TO {to}")

    def drop(self, table):
        self.run(f"DROP TABLE lake.{table}")


class ByTrino:
    name, has_branches, renames = "trino", True, True

    def __init__(self, uri, server):
        self.trino = Trino(server)
        self.trino.add_catalog("lake", iceberg__catalog__type="rest", iceberg__rest_catalog__uri=uri, iceberg__rest_catalog__security="OAUTH2",
                               iceberg__rest_catalog__oauth2__credential=f"client:{SECRET}", iceberg__rest_catalog__oauth2__server_uri=f"{uri}/v1/oauth/tokens",
                               fs__native_local__enabled="true", local__location="/")

    def run(self, sql):
        return self.trino.sql(sql)

    def write(self, table):
        self.run(f"CREATE TABLE lake.{table} (id BIGINT, name VARCHAR)")
        self.run(f"INSERT INTO lake.{table} VALUES (1, 'ä'), (2, NULL)")
        self.run(f"ALTER TABLE lake.{table} ADD COLUMN amount BIGINT")
        self.run(f"INSERT INTO lake.{table} VALUES (3, 'c', 7)")

    def make_branch(self, table):
        self.run(f"CREATE BRANCH extra IN TABLE lake.{table}")

    def fill_branch(self, table):
        self.run(f"INSERT INTO lake.{table} @ extra VALUES (4, 'on the branch', 8)")

    def read(self, table, branch=None):
        return self.run(f"SELECT * FROM lake.{table}" + (f" FOR VERSION AS OF '{branch}'" if branch else "")).table()

    def rename(self, table, to):
        self.run(f"ALTER TABLE lake.{table} RENAME TO lake.{to}")

    def drop(self, table):
        self.run(f"DROP TABLE lake.{table}")


class ByFlink:
    name, has_branches, renames = "flink", True, True

    def __init__(self, uri, server):
        self.flink = Flink(server)
        self.flink.add_catalog("lake", catalog_type="rest", uri=uri, credential=f"client:{SECRET}", oauth2_server_uri=f"{uri}/v1/oauth/tokens",
                               cache_enabled="false")

    def run(self, sql):
        return self.flink.sql(sql)

    def write(self, table):
        self.run(f"CREATE TABLE lake.{table} (id BIGINT, name STRING)")
        self.run(f"INSERT INTO lake.{table} VALUES (1, 'ä'), (2, CAST(NULL AS STRING))")
        self.run(f"ALTER TABLE lake.{table} ADD amount BIGINT")
        self.run(f"INSERT INTO lake.{table} VALUES (3, 'c', 7)")
        self.run(f"INSERT INTO lake.{table} /*+ OPTIONS('branch'='extra') */ VALUES (4, 'on the branch', 8)")  # which makes the branch

    def read(self, table, branch=None):
        return self.run(f"SELECT * FROM lake.{table}" + (f" /*+ OPTIONS('branch'='{branch}') */" if branch else "")).table()

    def rename(self, table, to):
        self.run(f"ALTER TABLE lake.{table} RENAME TO {to.split('.')[1]}")

    def drop(self, table):
        self.run(f"DROP TABLE lake.{table}")


class ByCalve:
    name, has_branches, renames = "calve", True, False

    def __init__(self, uri, program, folder):
        self.program, self.folder = program, f"{folder}/client"
        os.makedirs(f"{self.folder}/config/jobs")
        open(f"{self.folder}/calve.yaml", "w").write(f"catalogs:\n  lake: {{type: rest, uri: '{uri}', credential: \"client:{SECRET}\"}}\n"
                                                     f"warehouse: file://{folder}/lake\n")

    def run(self, *arguments, check=True):
        run = subprocess.run([self.program, "-C", self.folder, *arguments], capture_output=True, text=True, timeout=120)
        if check and run.returncode != 0:
            raise RuntimeError(f"calve {' '.join(arguments)} ended with {run.returncode}: {run.stderr or run.stdout}")
        return run

    def load(self, table, columns, rows, contract=""):
        database, name = table.split(".")
        open(f"{self.folder}/config/jobs/load.yaml", "w").write(json.dumps(
            {"source": {"type": "inline", "types": columns, "rows": rows}, "loader": {"type": "iceberg", "database": database, "table": name}}))
        return self.run("run", "load", check=not contract)

    def write(self, table):
        self.load(table, {"id": "long", "name": "string"}, [{k: row[k] for k in ("id", "name")} for row in ROWS[:2]])
        self.load(table, {"id": "long", "name": "string", "amount": "long"}, ROWS[2:])
        # A branch that an audit has stopped: the contract wants no id of 4.
        os.makedirs(f"{self.folder}/contracts", exist_ok=True)
        open(f"{self.folder}/contracts/{table}.yaml", "w").write("columns: {id: {type: long}}\nchecks: [{range: {column: id, max: 3}}]\n")
        run = self.load(table, {"id": "long", "name": "string", "amount": "long"}, [BRANCH_ROW], contract="stops it")
        if run.returncode != 4:
            raise RuntimeError(f"the audit should have failed: {run.returncode}: {run.stderr or run.stdout}")
        self.branch = re.search(r"audit_\w+", run.stdout)[0]

    def read(self, table, branch=None):
        with tempfile.NamedTemporaryFile(suffix=".arrow") as out:
            self.run("query", "--format", "arrow", "--output", out.name, f"SELECT * FROM {table}{'@' + branch if branch else ''}")
            with pa.ipc.open_stream(out.name) as reader:
                return reader.read_all()

    def drop(self, table):
        self.run("table", "drop", table, "--yes")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("calve")
    parser.add_argument("--catalog", default="{type: sql}")
    options = parser.parse_args()
    program = os.path.abspath(options.calve)
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL + 1)
    folder = tempfile.mkdtemp(prefix="calve-served-")
    open(f"{folder}/calve.yaml", "w").write(f"catalogs: {{lake: {options.catalog}}}\nwarehouse: file://{folder}/lake\n"
                                            f"catalog_server: {{clients: [{{id: client, secret: \"{SECRET}\", rights: {{'*': manage}}}}]}}\n")
    serving = subprocess.Popen([program, "-C", folder, "catalog", "serve", "--port", "0"], stdout=subprocess.PIPE, text=True,
                               env={**os.environ, "API_HOST": "127.0.0.1"})
    faults = done = 0
    lacks = set()

    def judge(engine, what, act, expected=None):
        nonlocal faults, done
        done += 1
        said, lacking = None, LACKS.get(what)
        try:
            found = act()
            if expected is not None:
                rows = sorted(found.select(["id", "name", "amount"]).to_pylist(), key=lambda row: row["id"])
                said = None if rows == expected else f"expected {expected}, found {rows}"
        except Exception as error:
            said = f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"
        if said and lacking and lacking[0] in said:
            lacks.add(what)
            matrix.record(CHECK, engine, "known", f"{what}: {lacking[1]}")
            return
        matrix.record(CHECK, engine, "failed" if said else "equal", f"{what}: {said}" if said else "")
        if said:
            faults += 1
            print(f"  {what}: {said[:600]}", flush=True)

    try:
        uri = re.search(r"http://[0-9.:]+", serving.stdout.readline())[0]
        python = ByPyIceberg(uri)
        clients = [python, ByDuckDb(uri, python.catalog), BySpark(uri, folder), ByCalve(uri, program, folder)]
        if "CALVE_TEST_TRINO" in os.environ:
            clients.append(ByTrino(uri, os.environ["CALVE_TEST_TRINO"]))
        if "CALVE_TEST_FLINK" in os.environ:
            clients.append(ByFlink(uri, os.environ["CALVE_TEST_FLINK"]))
        python.catalog.create_namespace("shop")
        for writer in clients:
            table = f"shop.of_{writer.name}"
            judge(writer.name, f"{writer.name} writes", lambda: writer.write(table))
            if writer.name == "trino":
                judge("trino", "trino makes a branch", lambda: writer.make_branch(table))
                python.make_branch(table)
                judge("trino", "trino writes to a branch", lambda: writer.fill_branch(table))
                python.fill_branch(table)
            for reader in clients:
                judge(reader.name, f"{writer.name}'s table by {reader.name}", lambda: reader.read(table), ROWS)
                if writer.has_branches:
                    branch = getattr(writer, "branch", "extra")
                    judge(reader.name, f"{writer.name}'s branch by {reader.name}", lambda: reader.read(table, branch), ROWS + [BRANCH_ROW])
        # calve's table waits for a person; the others are renamed and dropped.
        for writer in clients:
            if writer.name == "calve":
                continue
            table, to = f"shop.of_{writer.name}", f"shop.from_{writer.name}"
            renamer = writer if writer.renames else python
            judge(renamer.name, f"{renamer.name} renames {writer.name}'s table", lambda: renamer.rename(table, to))
            for reader in clients:
                judge(reader.name, f"{writer.name}'s renamed table by {reader.name}", lambda: reader.read(to), ROWS)
            judge(writer.name, f"{writer.name} drops", lambda: writer.drop(to))
            judge(writer.name, f"{to} is gone", lambda: None if not python.catalog.table_exists(to) else 1 / 0)
    finally:
        serving.terminate()
        serving.wait()
    shutil.rmtree(folder, ignore_errors=True)
    names = {client.name for client in clients}
    for what in LACKS:
        if what not in lacks and not any(absent in what for absent in {"trino", "flink"} - names):
            faults += 1
            print(f"  LACKS: nothing needs this entry any more: {what}")
    print(f"served: {done} steps by {', '.join(sorted(names))} through one server, {len(lacks)} that an engine can't for a known cause, {faults} failed")
    sys.exit(1 if faults else 0)


main()
