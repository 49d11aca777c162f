"""Configuration that is wrong: YAML itself, keys, values, references."""
import os
from table import CONFIG, JOB, LOADER, PEOPLE, REFUSED, case, job, people

SOURCE = "source: {type: csv, source_path: in/a.csv}\n"
LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 10))

job("an empty job file", "", f"{JOB}:1:1", "'source' of a job is missing", "write, for example, source: {type: csv")
job("a job that is a list", "- source\n- loader\n", f"{JOB}:1:1", "mapping")
job("a job that is a text", "hello\n", f"{JOB}:1:1", "mapping")
job("a tab before a key", "source:\n\ttype: csv\n" + LOADER, f"{JOB}:2:1", "use spaces")
job("a bracket that does not close", "source: {type: csv\n" + LOADER, f"{JOB}:", "}")
job("a quote that does not close in YAML", 'source: {type: "csv}\n' + LOADER, f"{JOB}:", "quote")
job("a value that begins with a mark", "source: {type: @csv}\n" + LOADER, f"{JOB}:1:16", "quotes")
job("keys that are indented differently", "source:\n    type: csv\n  source_path: in/\n" + LOADER, f"{JOB}:3:3", "indent")
job("a key twice in a job", SOURCE + SOURCE + LOADER, f"{JOB}:2:1", "line 1")
job("two documents in a file", SOURCE + LOADER + "---\n" + SOURCE, f"{JOB}:3:1", "one document")
job("an alias of nothing", "source: *nowhere\n" + LOADER, f"{JOB}:1:9", "nowhere")
job("an alias of itself", "source: &s {type: csv, source_path: *s}\n" + LOADER, f"{JOB}:1:37", "no &s before it")
job("a merge key", "x: &x {type: csv}\nsource: {<<: *x, source_path: in/}\n" + LOADER, f"{JOB}:2:10", "<<")
job("a tag of a language", "source: !!python/object:os.system {type: csv}\n" + LOADER, f"{JOB}:1:9", "tag")
job("an include", "source: !include other.yaml\n" + LOADER, f"{JOB}:1:9", "tag")
job("a billion laughs", LAUGHS, JOB, "200,000", memory_mb_max=700)
job("flow lists nested 10,000 deep", "source: " + "[" * 10_000 + "]" * 10_000 + "\n" + LOADER, f"{JOB}:1:", "64")
job("mappings nested 10,000 deep", "source: " + "{a: " * 10_000 + "}" * 10_000 + "\n" + LOADER, f"{JOB}:1:", "64")
job("a NUL in YAML", SOURCE.encode() + b"x: \0\n", f"{JOB}:2:4", "control character 0x00", "remove it")
job("YAML that is no UTF-8", b"source: {type: csv, source_path: \xff}\n", f"{JOB}:1:", "UTF-8")
job("YAML of 5 MB", "x: " + "a" * 5_000_000 + "\n", JOB, "4")
job("a file of no text for YAML", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", f"{JOB}:1:", "UTF-8")
job("a picture's worth of control characters", "source: \x07\n" + LOADER, f"{JOB}:1:", "control")

job("no source", LOADER, f"{JOB}:1:1", "'source'", "write, for example, source: {type: csv")
job("no loader", SOURCE, f"{JOB}:1:1", "'loader'", "write, for example, loader: {type: iceberg")
job("a source without type", "source: {source_path: in/}\n" + LOADER, f"{JOB}:1:9", "type", "csv")
job("a type of source that is not there", "source: {type: cvs, source_path: in/}\n" + LOADER, f"{JOB}:1:16", "did you mean 'csv'")
job("a type of transformer that is not there", SOURCE + "transformer: {type: bass}\n" + LOADER, f"{JOB}:2:21", "did you mean 'base'")
job("a type of loader that is not there", SOURCE + "loader: {type: icebreg, database: d, table: t}\n", f"{JOB}:2:16", "did you mean 'iceberg'")
job("a format of file that is not there", "source: {type: file, format: cvs, source_path: in/}\n" + LOADER, f"{JOB}:1:30", "did you mean 'csv'")
job("an unknown key of a job", SOURCE + LOADER + "onopen_branch: block\n", f"{JOB}:3:1", "did you mean 'on_open_branch'")
job("an unknown key of a source", "source: {type: csv, sorce_path: in/}\n" + LOADER, f"{JOB}:1:21", "did you mean 'source_path'")
job("an unknown key of a loader", SOURCE + "loader: {type: iceberg, databse: d, table: t}\n", f"{JOB}:2:25", "did you mean 'database'")
job("a source that is a list", "source: [csv]\n" + LOADER, f"{JOB}:1:9", "mapping")
job("a path that is a list", "source: {type: csv, source_path: [a, b]}\n" + LOADER, f"{JOB}:1:34", "text")
job("a path that is empty", "source: {type: csv, source_path: }\n" + LOADER, f"{JOB}:1:", "source_path")
job("both transformer and transformers", SOURCE + "transformer: {type: base}\ntransformers: [{type: base}]\n" + LOADER, f"{JOB}:3:1", "keep one")
job("a boolean in words", SOURCE + LOADER + "enabled: perhaps\n", f"{JOB}:3:10", "true or false")
job("a number in words", SOURCE + LOADER + "resources: {parallelism: many}\n", f"{JOB}:3:26", "whole number")
job("a fraction for a whole number", SOURCE + LOADER + "resources: {parallelism: 1.5}\n", f"{JOB}:3:26", "whole number")
job("a number that is too small", SOURCE + LOADER + "resources: {parallelism: 0}\n", f"{JOB}:3:26", "1 to 256")
job("a number that is too large", SOURCE + LOADER + "retries: {max: 99999999999999999999}\n", f"{JOB}:3:16", "0 to 100")
job("a duration in no unit", SOURCE + LOADER + "timeout: 10\n", f"{JOB}:3:10", "10s")
job("a duration in an unknown unit", SOURCE + LOADER + "timeout: 10 parsecs\n", f"{JOB}:3:10", "30s, 5m or 2d")
job("a duration below zero", SOURCE + LOADER + "timeout: -5s\n", f"{JOB}:3:10", "30s, 5m or 2d")
job("a duration beyond all years", SOURCE + LOADER + "timeout: 99999999999999999999d\n", f"{JOB}:3:10", "30s, 5m or 2d")
job("a time-out of no time", SOURCE + LOADER + "timeout: 0s\n", f"{JOB}:3:10", "from 1s to 365d")
job("a time-out beyond all years", SOURCE + LOADER + "timeout: 100000000d\n", f"{JOB}:3:10", "from 1s to 365d")
job("a size in an unknown unit", SOURCE + LOADER + "resources: {memory_limit: 5XB}\n", f"{JOB}:3:27", "64MB")
job("a size that is too small", SOURCE + LOADER + "resources: {memory_limit: 1kB}\n", f"{JOB}:3:27", "64MB")
job("a size beyond 64 bits", SOURCE + LOADER + "resources: {memory_limit: 99999999999TB}\n", f"{JOB}:3:27", "64MB")
job("a mode that is not there", SOURCE + "loader: {type: iceberg, database: d, table: t, write_mode: mrege}\n", f"{JOB}:2:60", "append")
job("a policy that is not there", SOURCE + LOADER + "on_open_branch: repalce\n", f"{JOB}:3:17", "one of block, replace")
job("a type of job that is not there", SOURCE + LOADER + "type: genric\n", f"{JOB}:3:7", "one of generic")
job("a schedule of four fields", SOURCE + LOADER + "cron_expression: \"0 5 * *\"\n", f"{JOB}:3:18", "five fields", "found 4")
job("a schedule at hour 25", SOURCE + LOADER + "cron_expression: \"0 25 * * *\"\n", f"{JOB}:3:18", "'25' is no hour", "from 0 to 23")
job("a time zone that is not there", SOURCE + LOADER + "timezone: Mars/Phobos\n", f"{JOB}:3:11", "'Mars/Phobos' is no time zone", "such as Europe/Berlin")
job("a time zone by its city", SOURCE + LOADER + "timezone: New York\n", f"{JOB}:3:11", "'New York' is no time zone", "did you mean 'America/New_York'?")
job("a time zone in small letters", SOURCE + LOADER + "timezone: europe/berlin\n", f"{JOB}:3:11", "did you mean 'Europe/Berlin'")
job("a time zone by its distance", SOURCE + LOADER + "timezone: \"+02:00\"\n", f"{JOB}:3:11", "'+02:00' is no time zone", "such as Europe/Berlin")
job("more rows at least than at most", SOURCE + LOADER + "monitoring: {thresholds: {rows_min: 5, rows_max: 4}}\n", f"{JOB}:3:50", "swap them")
job("a share above all", SOURCE + LOADER + "monitoring: {thresholds: {quarantined_max: 150%}}\n", f"{JOB}:3:44", "of at most 1")
job("a channel that is not there", SOURCE + LOADER + "monitoring: {notification_channels: [telegram]}\n", f"{JOB}:3:37", "one of slack, email, webhook")
job("several faults at once", "source: {type: cvs}\nloader: {type: iceberg, table: t}\nenabled: maybe\n", f"{JOB}:1:16", f"{JOB}:2:9", f"{JOB}:3:10",
    "3 faults, nothing was run")

job("a variable that is not set", "source: {type: csv, source_path: \"${NOT_SET}\"}\n" + LOADER, f"{JOB}:1:34", "${NOT_SET} is not set", "${NOT_SET:-default}")
job("a reference that does not close", "source: {type: csv, source_path: \"${HOME\"}\n" + LOADER, f"{JOB}:1:34", "close it")
job("a reference to nothing", "source: {type: csv, source_path: \"${}\"}\n" + LOADER, f"{JOB}:1:34", "write ${NAME}")
job("a reference to no name", "source: {type: csv, source_path: \"${1 + 1}\"}\n" + LOADER, f"{JOB}:1:34", "write ${NAME}")
job("a reference nested ten deep", "source: {type: csv, source_path: \"" + "${A:-" * 10 + "}" * 10 + "\"}\n" + LOADER, f"{JOB}:1:34", "flatten it")
job("a file reference to nothing", "source: {type: csv, source_path: \"${file:}\"}\n" + LOADER, f"{JOB}:1:34", "name a file")
job("a file reference to what is not there", "source: {type: csv, source_path: \"${file:secret.txt}\"}\n" + LOADER, f"{JOB}:1:34", "secret.txt",
    "name a file")
job("a file reference to a folder", "source: {type: csv, source_path: \"${file:in}\"}\n" + LOADER, f"{JOB}:1:34", "folder", "name a file",
    files={"in/a.csv": PEOPLE})
job("a file reference to no text", "source: {type: csv, source_path: \"${file:key}\"}\n" + LOADER, f"{JOB}:1:34", "UTF-8", "name a file", files={"key": b"\xff\0"})
job("a file reference to a device", "source: {type: csv, source_path: \"${file:/dev/zero}\"}\n" + LOADER, f"{JOB}:1:34", "plain file", "name a file")
job("a variable that is no type", "source: {type: \"${KIND}\", source_path: in/}\n" + LOADER, f"{JOB}:1:16", "csv", environment={"KIND": "cvs"})


def project(name, text, *says, files=None, exit=CONFIG, command="table list", **more):
    case(name, command, exit, *says, files={"calve.yaml": text, **(files or {})}, **more)


project("an unknown key of calve.yaml", "warehous: w\n", "calve.yaml:1:1", "did you mean 'warehouse'")
project("a catalog of no type", "catalogs: {a: {type: sqll}}\n", "calve.yaml:1:22", "sql")
project("a default catalog that is not there", "catalogs: {a: {type: sql}, b: {type: sql}}\ndefault_catalog: c\n", "calve.yaml:2:18", "did you mean 'a' or 'b'?")
project("catalogs that are a list", "catalogs: [sql]\n", "calve.yaml:1:11", "mapping")
project("a port beyond all ports", "service: {port: 70000}\n", "calve.yaml:1:17", "1 to 65535")
project("a secret written down", "notifications: {email: {password: hunter2, host: []}}\n", "calve.yaml:1:50", "text")
project("a warehouse of an unknown scheme", "warehouse: ftp://host/lake\n", "ftp", "s3", command="run t",
        files={JOB: SOURCE + LOADER, "in/a.csv": PEOPLE})
project("a line of .env without equals", "", ".env:2", "NAME=value", files={".env": "A=1\nnonsense\n"})
project("a name of .env that is none", "", ".env:1", "NAME=value", files={".env": "1A=1\n"})
project("a quote of .env that does not close", "", ".env:1", "quote", files={".env": "A=\"open\n"})
case("a folder for calve.yaml", "table list", REFUSED, "calve.yaml", "expected a file", files={"calve.yaml/x": ""})
case("a folder for a job", "run t", REFUSED, "t.yaml", "expected a file", files={"config/jobs/t.yaml/x": ""})
case("a link in a circle for a job", "run t", CONFIG, "t.yaml", "symbolic links", files={JOB: lambda path: os.symlink("t.yaml", path)})
case("a project folder that is not there", "-C no/such table list", CONFIG, "no/such", "calve init")
case("a job that is not there", "run daly", CONFIG, "'daly'", "did you mean 'daily'", files={"config/jobs/daily.yaml": SOURCE + LOADER})
case("a job by a path out of the project", "run ../../../etc/passwd", CONFIG, "'../../../etc/passwd'", "config/jobs")
case("a job named by nothing", ["run", ""], CONFIG, "''", "config/jobs")
case("a job named with a NUL escape", ["run", "a\nb"], CONFIG, "a\\nb", "config/jobs")

for table, database, says in [
        ("../t", "d", "t"), ("a/b", "d", "a/b"), ("", "d", "table"), ("a.b", "d", "namespace"), ("t", "..", ".."), ("t", "d..e", "d..e"), ("t", "/d", "/d"),
        ("t", "", "database"), ("a\\\\b", "d", "a"), ("t\\n", "d", "t"), ("t@main", "d", "t@main")]:
    people(f"the table '{table[:20]}' in '{database}'", "", f"{JOB}:2:", says, loader=f"loader: {{type: iceberg, database: \"{database}\", table: \"{table}\"}}\n")

for partition, says in {
        "weekly(born)": ("weekly", "day"), "bucket(id)": ("bucket(id)", "bucket(N, column)"), "bucket(0, id)": ("bucket", "1"),
        "bucket(99999999999999, id)": ("bucket", "1"), "truncate(-1, name)": ("truncate(-1, name)", "truncate(N, column)"), "day(name)": ("day", "string"),
        "hour(born)": ("hour", "date"), "day(bron)": ('"day(bron)"', "did you mean 'born'"), "born(": ("born(", "closing parenthesis"),
        "day(born, 3)": ("day(born, 3)", "day(column)"), "": ("partition", "column"), "month(day(born))": ("month(day(born))", "day(born)")}.items():
    people(f"partitions by {partition or 'nothing'}", "", f"{JOB}:2:63", *says,
           loader=f"loader: {{type: iceberg, database: d, table: t, partition_by: [\"{partition}\"]}}\n")


def loader(name, options, *says, **more):
    """A loader with options that begin in column 48 of line 2."""
    people(name, "", *says, loader=f"loader: {{type: iceberg, database: d, table: t, {options}}}\n", **more)


loader("partitions by a column twice", "partition_by: [day(born), day(born)]", f"{JOB}:2:74", "born", "twice")
loader("several partitions that cannot be", "partition_by: [day(name), id, idd]", f"{JOB}:2:63   partition_by", f"{JOB}:2:78   partition_by", "did you mean 'id'")
loader("an order by what is not there", "sort_by: [id, nmae desc]", f"{JOB}:2:62   sort_by", "did you mean 'name'", command="plan t")
loader("an order by what cannot be", "sort_by: [hour(born)]", f"{JOB}:2:58   sort_by", "the sort field on born", "hour", "date", command="plan t")
loader("a key that is not there", "write_mode: merge, key: [id, nmae]", f"{JOB}:2:77", "did you mean 'name'")
for command in ("plan t", "run t"):
    loader(f"a place that the catalog does not have, {command}", "location: \"file:///elsewhere/t\"", f"{JOB}:2:58", "keeps d.t at", "/warehouse/d/t",
           "use a sql catalog", files={"calve.yaml": "catalogs: {local: {type: filesystem}}\n"}, command=command)
loader("several properties that make no sense",
       "properties: {write.parquet.page-version: v9, write.target-file-size-bytes: 9, write.metadata.metrics.default: some}",
       f"{JOB}:2:89", "table property write.parquet.page-version", f"{JOB}:2:158", "table property write.metadata.metrics.default", "2 faults")
loader("data files where nobody can write", "properties: {write.data.path: \"nope://x\"}", f"{JOB}:2:78   table property write.data.path", "nope", "s3")
loader("a version of the format as a property", "properties: {format-version: 3}", f"{JOB}:2:77", "no property of a table", "say it as format_version")
people("a version of the format that is not there", "", f"{JOB}:2:64", "2 to 3", loader="loader: {type: iceberg, database: d, table: t, format_version: 4}\n")
people("a catalog that calve.yaml does not name", "", "'lcal'", "did you mean 'local'", loader="loader: {type: iceberg, catalog: lcal, database: d, table: t}\n")
loader("a property that is no number", "properties: {write.target-file-size-bytes: lots}", f"{JOB}:2:91", "write.target-file-size-bytes", "number")
people("overwrite without its mode", "", f"{JOB}:2:", "write_mode: overwrite",
       loader="loader: {type: iceberg, database: d, table: t, overwrite: partitions}\n")
