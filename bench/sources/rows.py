"""The benchmarks' rows in a database, and what loads them: calve, its peers, and the database's own tool."""
import os, subprocess, sys, tempfile
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "path"))
import bar, pairs

CREATE = """CREATE TABLE lineitem (l_orderkey bigint PRIMARY KEY, l_partkey bigint, l_suppkey bigint, l_linenumber int, l_quantity decimal(15,2),
    l_extendedprice decimal(15,2), l_discount decimal(15,2), l_tax decimal(15,2), l_returnflag text, l_linestatus text, l_shipdate date,
    l_commitdate date, l_receipt_ts timestamp, l_shipinstruct text, l_shipmode text, l_comment text)"""

def within(service):
    """Run this program again while the service runs; its variables are in the environment then."""
    if os.environ.get("CALVE_BENCH_SERVICE") == service:
        return
    bar.test_python()
    os.environ["CALVE_BENCH_SERVICE"] = service
    os.execv(f"{bar.ROOT}/tests/services/with", ["with", service, "--", sys.executable, *sys.argv])

def psql(*statements):
    command = [os.environ["CALVE_TEST_PSQL"], "-qAtX", os.environ["CALVE_TEST_POSTGRES"]]
    for statement in statements:
        command += ["-c", statement]
    return command

def fill_postgres():
    path = pairs.data("csv")
    subprocess.run(psql(CREATE, f"\\copy lineitem FROM '{path}' WITH (FORMAT csv, HEADER)", "VACUUM ANALYZE lineitem"), check=True)
    print(subprocess.run(psql("SELECT version()"), capture_output=True, text=True, check=True).stdout.strip())

def postgres_source():
    return f"  type: postgresql\n  url: {os.environ['CALVE_TEST_POSTGRES']}\n  table: lineitem"

def mariadb(statement):
    return [os.environ["CALVE_TEST_MARIADB_CLIENT"], "-e", statement]

def fill_mariadb():
    path = pairs.data("csv")
    create = CREATE.replace(" timestamp,", " datetime(6),").replace(" text", " varchar(100)")
    for statement in (create, f"LOAD DATA LOCAL INFILE '{path}' INTO TABLE lineitem FIELDS TERMINATED BY ',' IGNORE 1 LINES", "ANALYZE TABLE lineitem",
                      "FLUSH TABLES lineitem FOR EXPORT; UNLOCK TABLES"):  # all of it is on disk then
        subprocess.run(mariadb(statement), check=True, stdout=subprocess.DEVNULL)
    print(subprocess.run(mariadb("SELECT VERSION(), COUNT(*) FROM lineitem"), capture_output=True, text=True, check=True).stdout.strip())

def mariadb_source():
    return f"  type: mysql\n  url: {os.environ['CALVE_TEST_MARIADB']}\n  table: lineitem"

def mariadb_floor():
    """The rows to nowhere, by MariaDB's own program, which gets them as text."""
    return pairs.Run(["sh", "-c", f"{os.environ['CALVE_TEST_MARIADB_CLIENT']} --quick -e 'SELECT * FROM lineitem' > /dev/null"])

def load(source):
    """Once into a new table, audited: no key and no price is missing, and no row is."""
    def once():
        project = pairs.Project(source)
        project.write("contracts/bench.lineitem.yaml", "checks:\n" + "".join(f"  - not_null: [{column}]\n" for column in pairs.checks.NOT_NULL)
                      + "  - row_count: {min: 6000000, max: 6000000}\n")
        run = project.calve("run", "lineitem")
        run.bytes = project.bytes()
        project.remove()
        return run
    return once

def peer(name, service="CALVE_TEST_POSTGRES"):
    def once():
        with tempfile.TemporaryDirectory(prefix="bench_", dir=f"{bar.ROOT}/build/bench") as folder:
            run = pairs.Run([pairs.PEERS, f"{HERE}/peer.py", name, os.environ[service], folder])
            run.bytes = int(run.said.split()[-1])
            return run
    return once

def floor():
    """The binary copy to nowhere, by PostgreSQL's own program."""
    return pairs.Run(psql("\\copy (SELECT * FROM lineitem) TO /dev/null WITH (FORMAT binary)"))

def types(source):
    """How many decimal columns keep their type when a load makes a table of a source."""
    project = pairs.Project(source)
    said = project.calve("plan", "lineitem").said
    project.remove()
    return said.count("decimal(15, 2)")
