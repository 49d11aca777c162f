"""Command lines that are wrong, and projects whose own files are."""
import glob, os
from table import CONFIG, DATA, JOB, LOADER, REFUSED, case, loaded

case("no command", [], CONFIG, "subcommand", "--help")
case("a command that is not there", "rnu t", CONFIG, "rnu", "did you mean 'run'")
case("an option that is not there", "run t --dry", CONFIG, "--dry", "--help")
case("a command without its argument", "run", CONFIG, "JOB", "required")
case("an argument too many", "run a b", CONFIG, "b", "--help")
case("a schema that is not there", "schema jobb", CONFIG, "'jobb'", "did you mean 'job'")
case("a connector that is not there", "connectors cvs", CONFIG, "'cvs'", "did you mean 'csv'")
case("a number of rows in words", "generate -n many", CONFIG, "--rows", "many")
case("a number of rows below zero", "generate -n -5", CONFIG, "--rows", "range 0 to")

loaded("a format that is not there", "extract t --to xml", CONFIG, "'xml'", "csv")
loaded("a file in a folder that is not there", "extract t -o no/such/a.csv", REFUSED, "no/such/a.csv", "its folder must be there")
loaded("a table that is not there", "table show d.tt", CONFIG, "d.tt", "did you mean")
loaded("a table without namespace", "table show t", CONFIG, "'t'", "namespace.table")
loaded("a table of too many dots", "table show d..t", CONFIG, "'d..t'", "namespace.table")
loaded("a table by a path out of the warehouse", "table show ../../etc.passwd", CONFIG, "../../etc.passwd", "namespace.table")
loaded("a rollback to no snapshot", "table rollback d.t --to 12", CONFIG, "'12'", "calve table snapshots")
loaded("a tag of no snapshot", "table tag d.t v1 --snapshot nowhere", CONFIG, "'nowhere'", "calve table snapshots")
loaded("a tag that is there", "table tag d.t main", CONFIG, "'main'", "another name")
loaded("a branch that is not there", "branch publish audit_x", CONFIG, "audit_x", "calve branch list")
loaded("a branch by a path", "branch discard ../../x", CONFIG, "../../x", "calve branch list")
loaded("an audit without contract", "audit d.t", CONFIG, "d.t", "contracts/d.t.yaml")
loaded("an audit of a table that is not there", "audit d.x", CONFIG, "contracts/d.x.yaml", "write one")
loaded("a quarantine of a table that is not there", "quarantine show d.x", CONFIG, "d.x", "quarantine")

for name, sql, *says, exit in [
        ("that is none", "SELEC 1", "line 1, column 1", "syntax error", CONFIG),
        ("that says nothing", "", "expected one SQL statement", "found 0", CONFIG),
        ("of two statements", "SELECT 1; SELECT 2", "expected one SQL statement", "found 2", CONFIG),
        ("that does not close a quote", "SELECT 'a", "line 1", "quote", CONFIG),
        ("that does not close a parenthesis", "SELECT (1", "line 1", "syntax error", CONFIG),
        ("with a column that is not there", "SELECT nmae FROM d.t", "line 1, column 8", "name", CONFIG),
        ("with a table that is not there", "SELECT * FROM d.tt", "d.tt", "did you mean", CONFIG),
        ("with a branch that is not there", "SELECT * FROM d.t@nowhere", "nowhere", "main", CONFIG),
        ("with a function that is not there", "SELECT uper(name) FROM d.t", "uper", "upper", CONFIG),
        ("at a time before the table", "SELECT * FROM d.t AT (TIMESTAMP => TIMESTAMP '2000-01-01')", "2000-01-01", "it begins at", CONFIG),
        ("at a version that is not there", "SELECT * FROM d.t AT (VERSION => 12)", "12", "snapshot", CONFIG),
        ("that casts what cannot be", "SELECT name::INT FROM d.t", "'ada'", "try_cast", DATA),
        ("that divides beyond a number", "SELECT 9223372036854775807 + id FROM d.t", "9223372036854775807", "wider type", DATA),
        ("that drops what is not there", "DROP TABLE d.nothing", "d.nothing", "there is no table", CONFIG),
        ("that makes a table of an unknown type", "CREATE TABLE d.u (id NONSENSE)", "NONSENSE", "does not exist", CONFIG),
        ("that makes a table by an unknown transform", "CREATE TABLE d.u (id INT) PARTITIONED BY (weekly(id))", "weekly", "month", CONFIG),
        ("that makes a table of another format", "CREATE TABLE d.u (id INT) WITH ('format-version' = '9')", "format-version", "2 or 3", CONFIG),
        ("that makes a view", "CREATE VIEW d.v AS SELECT 1", "found CREATE View", "CREATE TABLE", CONFIG),
        ("that inserts into what is not there", "INSERT INTO d.nothing VALUES (1)", "d.nothing", "there is no table", CONFIG),
        ("that updates a branch", "UPDATE d.t@main SET id = 1", "d.t@main", "statements change main", CONFIG),
        ("that merges without a condition", "MERGE INTO d.t USING d.t AS s", "syntax error", "end of input", CONFIG),
        ("with two statements that write", "DELETE FROM d.t; DELETE FROM d.t", "one SQL statement", "found 2", CONFIG),
        ("that copies into a file", "COPY (SELECT 1) TO 'x.csv'", "found COPY", "expected a query, INSERT", CONFIG),
        ("that reads a file", "SELECT * FROM read_csv('/etc/passwd')", "line 1, column 15", "read_csv", CONFIG),
        ("that reads a file by its name", "SELECT * FROM '/etc/passwd'", "/etc/passwd", "table", CONFIG),
        ("that loads an extension", "INSTALL httpfs", "found LOAD", "expected a query, INSERT", CONFIG),
        ("that sets an option", "SET memory_limit = '1TB'", "found SET", "expected a query, INSERT", CONFIG),
        ("that attaches a database", "ATTACH 'x.db'", "found ATTACH", "expected a query, INSERT", CONFIG),
        ("nested 5,000 deep of what is not there", "SELECT " + "(" * 5_000 + "x" + ")" * 5_000, "\"x\"", "not found", CONFIG),
        ("with a control character", "SELECT '\x01' FROM d.tt", "d.tt", "did you mean", CONFIG),
        ("of a place where no table is", "SELECT * FROM iceberg('nowhere')", "nowhere", "metadata", CONFIG),
        ("of a place without scheme", "SELECT * FROM iceberg('ftp://x/y')", "ftp", "s3", CONFIG)]:
    loaded(f"calve query {name}", ["query", sql], exit, *says)
loaded("SQL into a format that is not there", "query --format yaml 'SELECT 1'", CONFIG, "'yaml'", "csv")


def spoil(pattern, change):
    """Change what lies at a pattern in the project: `change` is given the path."""
    def work(path):
        found = glob.glob(os.path.join(os.path.dirname(path), pattern), recursive=True)
        assert found, pattern
        change(sorted(found)[-1])
    return work


def overwrite(content):
    return lambda path: open(path, "wb").write(content)


def shorten(path):
    os.truncate(path, os.path.getsize(path) // 2)


QUERY = ["query", "SELECT * FROM d.t"]
loaded("a catalog that is no database", QUERY, DATA, "catalog.db", "SQLite", "restore it", files={"x": spoil("metadata/catalog.db", overwrite(b"hello" * 1000))})
loaded("a catalog that is a folder", "-C sub table list", REFUSED, "catalog.db", "unable to open", files={"sub/metadata/catalog.db/x": ""})
loaded("run records that are no database", "run t", DATA, "state.db", "SQLite", "restore it", files={"x": spoil("metadata/state.db", overwrite(b"hello" * 1000))})
loaded("metadata that is no JSON", QUERY, DATA, ".metadata.json", "line 1", files={"x": spoil("warehouse/**/*.metadata.json", overwrite(b"hello"))})
loaded("metadata that was cut", QUERY, DATA, ".metadata.json", "line 1, column", files={"x": spoil("warehouse/**/*.metadata.json", shorten)})
loaded("metadata that is not there", QUERY, DATA, ".metadata.json", "the catalog", "restore the file", files={"x": spoil("warehouse/**/*.metadata.json", os.remove)})
loaded("metadata of no table", QUERY, DATA, ".metadata.json", "format-version", files={"x": spoil("warehouse/**/*.metadata.json", overwrite(b"{}"))})
loaded("metadata of a version to come", QUERY, REFUSED, ".metadata.json", "format 1 to 3, found 9", "newer version",
       files={"x": spoil("warehouse/**/*.metadata.json", overwrite(b'{"format-version": 9}'))})
loaded("a manifest list that was cut", QUERY, DATA, "snap-", "at byte 19", files={"x": spoil("warehouse/**/snap-*.avro", shorten)})
loaded("a manifest list that is not there", QUERY, CONFIG, "snap-", "No such file", files={"x": spoil("warehouse/**/snap-*.avro", os.remove)})
loaded("a manifest list of other bytes", QUERY, DATA, "snap-", "Avro", files={"x": spoil("warehouse/**/snap-*.avro", overwrite(b"hello" * 100))})
loaded("a data file that is not there", QUERY, CONFIG, ".parquet", "No such file", files={"x": spoil("warehouse/**/*.parquet", os.remove)})
loaded("a data file that was cut", QUERY, DATA, ".parquet", "bytes", files={"x": spoil("warehouse/**/*.parquet", shorten)})
loaded("a data file of other bytes", QUERY, DATA, ".parquet", "No magic bytes", files={"x": spoil("warehouse/**/*.parquet", overwrite(b"hello" * 100))})
loaded("a file where the warehouse goes", "-C sub run t", REFUSED, "warehouse", "a file of that name",
       files={"sub/warehouse": "", "sub/" + JOB: "source: {type: csv, source_path: ../in/a.csv}\n" + LOADER})
loaded("a file where the metadata folder goes", "-C sub run t", REFUSED, "metadata", "a file of that name",
       files={"sub/metadata": "", "sub/" + JOB: "source: {type: csv, source_path: ../in/a.csv}\n" + LOADER})
