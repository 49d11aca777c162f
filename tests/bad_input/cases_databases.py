"""SQLite files, PostgreSQL and MySQL servers that are wrong, and tables that are not what was expected."""
import sqlite3
from pathlib import Path

from table import CONFIG, DATA, JOB, LOADER, PEOPLE, REFUSED, case


def database(*statements):
    def make(path):
        connection = sqlite3.connect(path)
        for statement in statements:
            connection.execute(statement)
        connection.commit()
        connection.close()
    return make


def damaged(damage):
    def make(path):
        database("CREATE TABLE t (id INTEGER, name TEXT)", *(f"INSERT INTO t VALUES ({n}, '{'x' * 200}')" for n in range(200)))(path)
        content = open(path, "rb").read()
        open(path, "wb").write(damage(content))
    return make


def sqlite(name, options, make, *says, exit=DATA, command="extract t --to csv"):
    case(name, command, exit, *says, files={JOB: f"source: {{type: sqlite, path: t.db, {options}}}\n" + LOADER, "t.db": make})


def held_back(name, column, value, *says, types=""):
    sqlite(name, "table: t" + types, database(f"CREATE TABLE t (id INTEGER PRIMARY KEY, {column})", f"INSERT INTO t VALUES (7, {value})"),
           "t where id = 7", *says)


GOOD = database("CREATE TABLE t (id INTEGER, name TEXT)", "INSERT INTO t VALUES (1, 'ada')", "INSERT INTO t VALUES (NULL, 'bo')")

sqlite("text for a SQLite file", "table: t", PEOPLE * 20, "t.db", "is no whole SQLite database", "restore it from a backup")
sqlite("a SQLite file that was cut", "table: t", damaged(lambda good: good[:8192]), "t.db", "is no whole SQLite database", "restore it")
sqlite("a SQLite file with other bytes in it", "table: t", damaged(lambda good: good[:12288] + b"\xff" * 4096 + good[16384:]), "t.db",
       "is no whole SQLite database", "restore it")
case("a SQLite file that is not there", "extract t --to csv", CONFIG, "no.db", "there is no database",
     files={JOB: "source: {type: sqlite, path: no.db, table: t}\n" + LOADER})
sqlite("a table that is not in the SQLite file", "table: tt", GOOD, "t.db", "no table or view 'tt'", "did you mean 't'", exit=CONFIG)
sqlite("a column that is not in the table", "table: t, columns: [nmae]", GOOD, "t has no column 'nmae'", "did you mean 'name'", exit=CONFIG)
sqlite("a condition of a table that is no SQL", "table: t, where: \"id >>> 1\"", GOOD, "t.db", "syntax error", "mend table, columns, where or query", exit=CONFIG)
sqlite("a query of a database that is no SQL", "query: SELEKT 1", GOOD, "t.db", "syntax error", "mend table, columns, where or query", exit=CONFIG)
sqlite("a query that changes the database", "query: DELETE FROM t", GOOD, "t.db", "syntax error", "mend table, columns, where or query", exit=CONFIG)
sqlite("a query with a name twice", "query: \"SELECT 1 AS a, 2 AS a\"", GOOD, "query", "several columns called 'a'", "name of its own", exit=CONFIG)
sqlite("a table and a query", "table: t, query: SELECT 1", GOOD, "config/jobs/t.yaml:1:", "can't be given together", "keep one", exit=CONFIG)
sqlite("incremental without a column", "table: t, incremental: true", GOOD, "config/jobs/t.yaml:1:", "needs cursor_column", "the column that grows", exit=CONFIG)
sqlite("a look back that is no time", "table: t, cursor_column: id, look_back: soon", GOOD, "config/jobs/t.yaml:1:", "'soon' is no stretch", "such as 1h",
       exit=CONFIG)
sqlite("a look back in time of numbers", "table: t, incremental: true, cursor_column: id, look_back: 1h, where: id > 0", GOOD, "column id",
       "look_back is a time for dates", "a number for numbers", exit=CONFIG)
sqlite("a cursor column that is not there", "table: t, incremental: true, cursor_column: idd", GOOD, "t has no column 'idd'", "did you mean 'id'", exit=CONFIG)
sqlite("a cursor column with NULL", "table: t, incremental: true, cursor_column: id", GOOD, "t, column id", "NULL", "leave them out by where")
sqlite("types of a column that is not there", "table: t, types: {nam: string}", GOOD, "t has no column 'nam'", "did you mean 'name'", exit=CONFIG)
sqlite("types that are none", "table: t, types: {name: strin}", GOOD, "config/jobs/t.yaml:1:", "strin", "did you mean 'string'", exit=CONFIG)
held_back("a text in a column of integers", "a INTEGER", "'many'", "column a", "a text is no long", "give the column another type")
held_back("a blob in a column of texts", "a TEXT", "x'00ff'", "column a", "a blob is no string", "give the column another type")
held_back("a text that is no UTF-8 in SQLite", "a TEXT", "CAST(x'c328' AS TEXT)", "column a", "not UTF-8", "mend it")
held_back("a day that no calendar has in SQLite", "a DATE", "'2026-02-30'", "column a", "'2026-02-30'", "mend the value")
held_back("seconds since 1970 in a column of timestamps", "a DATETIME", "1767225600", "column a", "'1767225600'", "mend the value")
held_back("a decimal with more digits than declared", "a DECIMAL(5, 2)", "1.125", "column a", "'1.125'", "mend the value")
held_back("a boolean that is two", "a BOOLEAN", "2", "column a", "'2'", "mend the value")

POSTGRES = "source: {type: postgresql, host: 127.0.0.1, port: 1, database: shop, username: reader, password: s3cr3t, table: t}\n" + LOADER
case("a PostgreSQL server that is not there", "extract t --to csv", REFUSED, "reader@127.0.0.1:1/shop", "cannot connect", "run again", files={JOB: POSTGRES})
case("no database of PostgreSQL", "plan t", CONFIG, "config/jobs/t.yaml:1:", "needs 'database' or 'url'", "add one",
     files={JOB: "source: {type: postgresql, host: 127.0.0.1, table: t}\n" + LOADER})
case("an address that is no PostgreSQL's", "extract t --to csv", CONFIG, "no PostgreSQL URI", "it looks like postgresql://",
     files={JOB: "source: {type: postgresql, url: \"mysql://a:b@c/d\", table: t}\n" + LOADER})
case("a numeric policy that is no type", "plan t", CONFIG, "config/jobs/t.yaml:1:", "'decimal(99, 2)' is no type", "such as decimal(38, 9)",
     files={JOB: "source: {type: postgresql, database: d, table: t, numeric: \"decimal(99, 2)\"}\n" + LOADER})
case("a file of certificates that is not there", "extract t --to csv", REFUSED, "127.0.0.1:1", "cannot connect", "run again",
     files={JOB: POSTGRES.replace("table: t", "sslmode: verify-full, sslrootcert: no.pem, table: t", 1)})
case("a host of PostgreSQL beside an address", "plan t", CONFIG, "config/jobs/t.yaml:1:", "'host' is part of url", "give it there",
     files={JOB: "source: {type: postgresql, url: \"postgresql://a:b@c/d\", host: e, table: t}\n" + LOADER})

MYSQL = "source: {type: mysql, host: 127.0.0.1, port: 1, database: shop, username: reader, password: s3cr3t, table: t}\n" + LOADER
case("a MySQL server that is not there", "extract t --to csv", REFUSED, "reader@127.0.0.1:1", "cannot connect", "run again", files={JOB: MYSQL})
case("no database of MySQL", "plan t", CONFIG, "config/jobs/t.yaml:1:", "needs 'database' or 'url'", "add one",
     files={JOB: "source: {type: mysql, host: 127.0.0.1, table: t}\n" + LOADER})
case("an address that is no MySQL's", "extract t --to csv", CONFIG, "url is no address", "it looks like mysql://",
     files={JOB: "source: {type: mysql, url: \"postgresql://a:b@c/d\", table: t}\n" + LOADER})
case("zero dates by a policy that is none", "plan t", CONFIG, "config/jobs/t.yaml:1:", "'as_nul' is no zero_dates", "one of hold_back, as_null",
     files={JOB: "source: {type: mysql, database: d, table: t, zero_dates: as_nul}\n" + LOADER})
case("a socket of MySQL that is not there", "extract t --to csv", REFUSED, "reader@/no/where.sock", "cannot connect", "run again",
     files={JOB: MYSQL.replace("127.0.0.1", "/no/where.sock")})

DRIVER = Path(__file__).resolve().parents[2] / ".deps/adbc-driver-sqlite/adbc_driver_sqlite/libadbc_driver_sqlite.so"


def adbc(name, options, make, *says, exit=DATA, command="extract t --to csv"):
    case(name, command, exit, *says, files={JOB: f"source: {{type: adbc, driver: {DRIVER}, url: t.db, {options}}}\n" + LOADER, "t.db": make})


adbc("text for a SQLite file by ADBC", "table: t", PEOPLE * 20, "ADBC driver", "file is not a database", exit=REFUSED)
adbc("a SQLite file with other bytes in it, by ADBC", "table: t", damaged(lambda good: good[:12288] + b"\xff" * 4096 + good[16384:]), "malformed", "see that the database runs", exit=REFUSED)
adbc("a table that is not there, by ADBC", "table: tt", GOOD, "no table or view 'tt'", "did you mean 't'", exit=CONFIG)
adbc("a condition that is no SQL, by ADBC", "table: t, where: \"id >>> 1\"", GOOD, "syntax error", "mend table, columns, where", exit=CONFIG)
adbc("a name that begins another statement, by ADBC", "table: 't; DROP TABLE t'", GOOD, "no table or view", "name it as the database does", exit=CONFIG)
adbc("a text that is no UTF-8, by ADBC", "table: t", database("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)", "INSERT INTO t VALUES (7, CAST(x'c328' AS TEXT))"),
     "t where id = 7", "column a", "UTF-8")
adbc("a text that is no date, by ADBC", "table: t, types: {a: date}", database("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)", "INSERT INTO t VALUES (7, '2026-02-30')"),
     "t where id = 7", "column a", "'2026-02-30'")
adbc("a column of texts for chunks, by ADBC", "table: t, chunk_column: name", GOOD, "chunk_column", "expected a column of whole numbers", exit=CONFIG)
adbc("an option that the driver does not know", "table: t, options: {no.such: x}", GOOD, "no.such", "options of the source", exit=CONFIG)
case("a driver of ADBC that is not there", "extract t --to csv", CONFIG, "cannot load the ADBC driver nobody", "pip install adbc_driver_nobody",
     files={JOB: "source: {type: adbc, driver: nobody, table: t}\n" + LOADER})
case("a text for a driver of ADBC", "extract t --to csv", CONFIG, "cannot load the ADBC driver ./people.so", "the path of its library",
     files={JOB: "source: {type: adbc, driver: ./people.so, table: t}\n" + LOADER, "people.so": PEOPLE})
case("a function that a driver of ADBC has not", "extract t --to csv", CONFIG, "has no function to begin with", "set entrypoint",
     files={JOB: f"source: {{type: adbc, driver: {DRIVER}, entrypoint: Nothing, table: t}}\n" + LOADER})
case("a SQL Server that is not there", "extract t --to csv", REFUSED, "cannot connect to FreeTDS on 127.0.0.1", "SQLSTATE 08",
     files={JOB: "source: {type: mssql, host: 127.0.0.1, port: 1, database: d, username: u, password: s3cr3t, table: t}\n" + LOADER})
