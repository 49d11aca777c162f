"""Other implementations' test data, given as a folder: table metadata, whole tables, Parquet files, the specification's hash values.

The folder is laid out by where the data comes from: `java/`, `go/`, `rust/`, `python/`, `cpp/` and `duckdb/` hold those projects' test resources,
`spec-vectors.json` the values of the specification's appendices.
"""
import concurrent.futures, datetime, glob, json, multiprocessing, os, shutil, sqlite3
import pyarrow as pa, pyarrow.parquet as pq, zstandard
from engines import CATALOG, DuckDb, Refused
from rows import Rows
import written

def compare(tally, calve, spark, folder, only):
    for part in (metadata, tables, parquet_files, hashes):
        if only and only not in f"golden_{part.__name__}":
            continue
        before, tally.set = dict(tally.counts), part.__name__
        part(tally, calve, spark, folder)
        print(f"golden {part.__name__}: {sum(tally.counts.values()) - sum(before.values())} comparisons", flush=True)

# What is wrong with a metadata file, by its name, and what the refusal must name: some files have a second fault, which may be found first.
REFUSALS = {"MissingSortOrder": ["sort-order"], "CurrentSchemaNotFound": ["current-schema-id", "last-partition-id"], "MissingPartitionSpecs": ["partition-specs"],
            "MissingSchemas": ["schemas"], "MissingLastPartitionId": ["last-partition-id"], "UnsupportedVersion": ["format-version", "schemas"],
            "NoValidSchema": ["schema"], "MissingSchemaType": ["type"], "bad_iceberg_metadata": ["expected JSON"]}

def metadata(tally, calve, spark, folder):
    """Valid metadata is read and says the same when it is written again; what is invalid is refused with the reason."""
    names = ("TableMetadata*.json", "example_*table_metadata*.json", "bad_iceberg_metadata.json")
    found = sorted(path for name in names for path in glob.glob(f"{folder}/**/{name}", recursive=True))
    with sqlite3.connect(f"{calve.project}/metadata/catalog.db") as db:
        for i, path in enumerate(found):
            place = f"{calve.project}/golden/{i}.metadata.json"
            os.makedirs(os.path.dirname(place), exist_ok=True)
            shutil.copy(path, place)
            db.execute("INSERT INTO iceberg_tables VALUES (?, 'golden', ?, ?, NULL, 'TABLE')", (CATALOG, f"m{i}", f"file://{place}"))
    for i, path in enumerate(found):
        title = "golden:" + os.path.relpath(path, folder)
        refusal = next((word for name, word in REFUSALS.items() if name in path), None)
        shown = calve("--json", "table", "show", f"golden.m{i}", check=False)
        said = shown.stderr.strip()
        tally.judge(title, "calve", judge_metadata(shown, said, refusal, path))
    with sqlite3.connect(f"{calve.project}/metadata/catalog.db") as db:
        db.execute("DELETE FROM iceberg_tables WHERE table_namespace = 'golden'")

def judge_metadata(shown, said, refusal, path):
    if refusal is not None:
        if shown.returncode == 0:
            return "was accepted, but is invalid"
        return None if shown.returncode > 0 and any(word in said for word in refusal) else f"refused with {shown.returncode}, but not for its reason: {said}"
    if shown.returncode != 0:
        return f"refused: {said}"
    before, after = json.loads(plain(open(path, "rb").read())), json.loads(shown.stdout)
    keep = ("table-uuid", "location", "last-column-id", "properties", "snapshots", "schemas", "partition-specs", "sort-orders", "refs", "statistics",
            "partition-statistics", "last-sequence-number", "current-snapshot-id", "next-row-id")
    changed = [key for key in keep if key in before and before[key] != after.get(key) and not same(before[key], after.get(key))]
    return f"another {', '.join(changed)} when written again" if changed else None

def plain(data):
    """Without zstd, which Iceberg's Go implementation also writes."""
    return zstandard.ZstdDecompressor().decompressobj().decompress(data) if data.startswith(b"\x28\xb5\x2f\xfd") else data

def same(before, after):
    """Equal but for what a writer may leave out or fill in: empty members, and null ids."""
    if isinstance(before, dict) and isinstance(after, dict):
        return all(same(value, after.get(key)) for key, value in before.items())
    if isinstance(before, list) and isinstance(after, list):
        return len(before) == len(after) and all(map(same, before, after))
    empty = (None, 0, -1, [], {}, "")
    return before == after or (before in empty and after in empty)

def tables(tally, calve, spark, folder):
    """Whole tables of DuckDB's tests, at every version of their metadata, as Spark and DuckDB read them. Their paths begin at its repository,
    where this process and Spark's run."""
    duckdb = OtherProcess()
    for i, path in enumerate(sorted(glob.glob("data/persistent/**/metadata/*.metadata.json", recursive=True))):
        title, home = f"golden:duckdb/{path}", "data/persistent/iceberg" if "lineitem" in path else "."
        try:
            ours = calve.table(f"SELECT * FROM iceberg('{os.path.relpath(path, home)}')", cwd=home)
        except Refused as refusal:
            tally.judge(title, "calve", str(refusal), "refused")
            continue
        references = [lambda: spark_table(spark, path), lambda: duckdb_table(duckdb, path)]
        readable = 0
        for name, read in zip(("spark", "duckdb"), references):
            try:
                theirs = read()
            except Refused as refusal:
                said = refusal
                continue
            readable += 1
            tally.judge(title, f"calve against {name}", Rows.of(theirs, ours.schema).difference(Rows.of(ours)))
        if not readable:
            tally.judge(title, "others", str(said), "refused")

def spark_table(spark, path):
    """By its metadata file, without a catalog: that would try again for a minute what can't be read."""
    try:
        return spark.session.read.format("iceberg").load(os.path.abspath(path)).toArrow()
    except Exception as error:
        raise Refused.by(error) from error

class OtherProcess:
    """DuckDB where it may crash: some of these tables end its process."""
    pool = None

    def scan(self, arguments):
        if self.pool is None:
            self.pool = concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
        try:
            return self.pool.submit(scan_there, arguments).result()
        except concurrent.futures.process.BrokenProcessPool as broken:
            self.pool = None
            raise Refused("DuckDB crashed") from broken

def scan_there(arguments):
    global duckdb_there
    if "duckdb_there" not in globals():
        duckdb_there = DuckDb(None)
    return duckdb_there.table(arguments)

def duckdb_table(duckdb, path):
    try:
        return duckdb.scan(f"'{path}'")
    except Refused as refusal:
        table, version = os.path.dirname(os.path.dirname(path)), os.path.basename(path).split(".")[0].removeprefix("v")
        codec = ", metadata_compression_codec='gzip'" if ".gz." in path else ""
        try:
            return duckdb.scan(f"'{table}', allow_moved_paths=true, version='{version}'{codec}")
        except Refused:
            raise refusal from None

def parquet_files(tally, calve, spark, folder):
    """Parquet in every encoding, as the parquet source reads it."""
    for i, path in enumerate(sorted(glob.glob(f"{folder}/java/**/*.parquet", recursive=True))):
        with open(f"{calve.project}/config/jobs/golden_{i}.yaml", "w") as job:
            json.dump({"source": {"type": "parquet", "source_path": path}, "loader": {"type": "iceberg", "database": "golden", "table": f"p{i}"}}, job)
        table = pq.read_table(path)
        out = f"{calve.project}/golden.arrow"

        def read():
            calve("extract", f"golden_{i}", "--to", "arrow", "--output", out)
            with pa.ipc.open_stream(out) as reader:
                return Rows.of(reader.read_all(), table.schema)
        tally.compare("golden:" + os.path.relpath(path, folder), "calve", Rows.of(table), read)

def hashes(tally, calve, spark, folder):
    """The specification's hash values, as the bucket that a row falls into when there are nearly as many buckets as hashes."""
    vectors = json.load(open(f"{folder}/spec-vectors.json"))["bucket_hash_murmur3_x86_32_seed0"]
    buckets = 2**31 - 1
    types = {"decimal": "decimal(9, 2)", "fixed": "fixed[4]"}
    project = written.Project(calve, calve.project)
    for i, (kind, text, value) in enumerate(vectors):
        if "(" in kind:
            continue  # no type that can be bucketed
        iceberg_type = types.get(kind, kind)
        typed = written.column(iceberg_type).type
        if pa.types.is_binary(typed) or pa.types.is_fixed_size_binary(typed):
            array = pa.array([bytes.fromhex(text)], typed)
        elif isinstance(typed, pa.BaseExtensionType):
            array = pa.ExtensionArray.from_storage(typed, pa.array([bytes.fromhex(text.replace("-", ""))], pa.binary(16)))
        elif pa.types.is_time(typed):
            array = pa.array([datetime.time.fromisoformat(text)], typed)
        else:
            array = pa.array([text]).cast(typed)
        name = f"golden.hash_{i}"

        def judge():
            project.load(name, pa.table({"c": array}), partition_by=[f"bucket({buckets}, c)"], format_version=3)
            files = json.loads(calve("--json", "table", "files", name).stdout)
            wanted = f"c_bucket={(value & (2**31 - 1)) % buckets}"
            return None if files[0]["partition"] == wanted else f"{kind} {text} is in {files[0]['partition']}, not in {wanted}"
        try:
            tally.judge(f"golden:hash of {kind} {text}", "calve", judge())
        except Refused as refusal:
            tally.judge(f"golden:hash of {kind} {text}", "calve", f"refused: {refusal}")
