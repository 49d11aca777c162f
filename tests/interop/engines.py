"""The readers and writers that meet in one SQLite catalog: calve, PyIceberg, DuckDB, Spark, Iceberg Java's own generic reader, chdb, and through
calve's catalog server Trino and Flink."""
import atexit, concurrent.futures, importlib, multiprocessing, os, re, struct, subprocess, tempfile
import pyarrow as pa, pyarrow.ipc
from rows import Rows, bytes_text, date_text, float_text, is_uuid, text_of, time_text, timestamp_text, uuid_text
from sql_servers import Flink, SqlError, Trino

CATALOG = "local"  # calve's default; Java and PyIceberg must call it the same, for that is what stands in the file

class Refused(Exception):
    """A reader says that it can't read a table."""

    @staticmethod
    def by(error):
        """With the kind of the error and its first line: what follows is a stack trace."""
        lines = str(error).strip().splitlines()
        return Refused(f"{type(error).__name__}: {lines[0] if lines else ''}")

class Calve:
    name = "calve"

    def __init__(self, program, project):
        self.program, self.project = os.path.abspath(program), project

    def __call__(self, *arguments, check=True, cwd=None):
        run = subprocess.run([self.program, "-C", self.project, *arguments], capture_output=True, text=True, timeout=300, cwd=cwd)
        if check and run.returncode != 0:
            raise Refused(f"calve {' '.join(arguments)} ended with {run.returncode}: {run.stderr.strip() or run.stdout.strip()}")
        return run

    def table(self, sql, cwd=None):
        with tempfile.NamedTemporaryFile(suffix=".arrow") as out:
            self("query", "--format", "arrow", "--output", out.name, sql, cwd=cwd)
            with pa.ipc.open_stream(out.name) as reader:
                return reader.read_all()

    def query(self, sql, wanted=None):
        return Rows.of(with_zone(self.table(sql), wanted), wanted)

    def read(self, table, wanted=None, ref=None):
        return self.query(f"SELECT * FROM {table}{'@' + ref if ref else ''}", wanted)

    def read_where(self, table, wanted, column, value):
        return self.query(f"SELECT * FROM {table} WHERE {column} = {sql_literal(value)}", wanted)

def with_zone(table, wanted):
    """SQL in calve is DuckDB's, which has no timestamptz_ns: it gives the moment in UTC as timestamp_ns."""
    zoned = pa.timestamp("ns", "UTC")
    for i, field in enumerate(table.schema):
        if wanted and field.name in wanted.names and wanted.field(field.name).type == zoned and field.type == pa.timestamp("ns"):
            table = table.set_column(i, field.name, table.column(i).cast(zoned))
    return table

class PyIceberg:
    name = "pyiceberg"

    def __init__(self, project):
        from pyiceberg.catalog.sql import SqlCatalog
        self.catalog = SqlCatalog(CATALOG, uri=f"sqlite:///{project}/metadata/catalog.db", warehouse=f"file://{project}/warehouse")

    def locate(self, table, ref=None):
        """The metadata file, and the snapshot of a branch or tag."""
        loaded = self.catalog.load_table(table)
        return loaded.metadata_location.removeprefix("file://"), ref and loaded.metadata.refs[ref].snapshot_id

    def read(self, table, wanted=None, ref=None):
        try:
            loaded = self.catalog.load_table(table)
            scan = loaded.scan() if ref is None else loaded.scan().use_ref(ref)
            return Rows.of(scan.to_arrow(), wanted)
        except (NotImplementedError, ValueError, TypeError, KeyError, AttributeError, pa.ArrowException) as error:
            raise Refused.by(error) from error

    def read_where(self, table, wanted, column, value):
        from pyiceberg.expressions import EqualTo
        try:
            return Rows.of(self.catalog.load_table(table).scan(row_filter=EqualTo(column, python_literal(value))).to_arrow(), wanted)
        except (NotImplementedError, ValueError, TypeError, KeyError, AttributeError, pa.ArrowException) as error:
            raise Refused.by(error) from error

def python_literal(value):
    """An Arrow scalar as PyIceberg's expressions take it: ISO texts for moments."""
    kind, text = value.type, text_of(value, value.type)
    if is_uuid(kind) or pa.types.is_date(kind):
        return text
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        return value.value
    if pa.types.is_timestamp(kind) or pa.types.is_time(kind):
        return text.rstrip("Z")[:-3] + ("+00:00" if text.endswith("Z") else "")
    return value.as_py()

class DuckDb:
    name = "duckdb"

    def __init__(self, locate):
        import duckdb
        self.locate, self.errors = locate, duckdb.Error
        self.connection = duckdb.connect()
        self.connection.execute("SET TimeZone='UTC'; SET autoinstall_known_extensions=false; SET arrow_lossless_conversion=true")
        for extension in ("avro", "httpfs", "iceberg"):
            folder = importlib.import_module(f"duckdb_extension_{extension}").__path__[0]
            self.connection.execute(f"LOAD '{folder}/extensions/v{duckdb.__version__}/{extension}.duckdb_extension'")

    def read(self, table, wanted=None, ref=None):
        location, snapshot = self.locate(table, ref)
        at = f", snapshot_from_id={snapshot}" if snapshot else ""
        return Rows.of(self.table(f"'{location}'{at}"), wanted)

    def table(self, arguments):
        try:
            return self.connection.execute(f"SELECT * FROM iceberg_scan({arguments})").to_arrow_table()
        except (self.errors, pa.ArrowException) as error:
            raise Refused.by(error) from error

    def read_where(self, table, wanted, column, value):
        try:
            sql = f"SELECT * FROM iceberg_scan('{self.locate(table)[0]}') WHERE {column} = {sql_literal(value)}"
            return Rows.of(self.connection.execute(sql).to_arrow_table(), wanted)
        except (self.errors, pa.ArrowException) as error:
            raise Refused.by(error) from error

def sql_literal(value):
    """An Arrow scalar as SQL of DuckDB."""
    kind = value.type
    if pa.types.is_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return "'" + "".join(f"\\x{b:02X}" for b in value.as_py()) + "'::BLOB"
    if pa.types.is_string(kind):
        return "'" + value.as_py().replace("'", "''") + "'"
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind):
        return str(value.as_py()).lower()
    if pa.types.is_decimal(kind):
        return f"{value.as_py():f}::DECIMAL({kind.precision},{kind.scale})"
    if pa.types.is_floating(kind):
        return f"'{value.as_py()!r}'::{'FLOAT' if pa.types.is_float32(kind) else 'DOUBLE'}"
    name = "UUID" if is_uuid(kind) else "DATE" if pa.types.is_date(kind) else "TIME" if pa.types.is_time(kind) else \
        ("TIMESTAMP_NS" if kind.unit == "ns" else "TIMESTAMPTZ" if kind.tz else "TIMESTAMP")
    text = text_of(value, kind)
    return f"'{text if name in ('DATE', 'UUID') else text.rstrip('Z') if kind != pa.timestamp('us', 'UTC') and name == 'TIMESTAMP_NS' else trim_fraction(text)}'::{name}"

def trim_fraction(text):
    """Nine digits of a second to six."""
    zone = "Z" if text.endswith("Z") else ""
    return text.rstrip("Z")[:-3] + ("+00" if zone else "")

class Served:
    """`calve catalog serve` over the project's catalog, for engines that have no other way to it."""

    def __init__(self, program, project):
        self.process = subprocess.Popen([program, "-C", project, "catalog", "serve", "--host", "127.0.0.1", "--port", "0"],
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        atexit.register(self.end)
        self.uri = re.search(r"http://[0-9.:]+", self.process.stdout.readline())[0]

    def end(self):
        self.process.terminate()
        self.process.wait()

class TrinoReader:
    """Trino, through calve's catalog server."""
    name = "trino"

    def __init__(self, server, uri):
        self.trino = Trino(server)
        self.trino.add_catalog(CATALOG, iceberg__catalog__type="rest", iceberg__rest_catalog__uri=uri, fs__native_local__enabled="true", local__location="/")

    def ask(self, sql, wanted):
        try:
            return self.trino.sql(sql).bag(wanted)
        except SqlError as error:
            raise Refused.by(error) from error

    def read(self, table, wanted=None, ref=None):
        return self.ask(f"SELECT * FROM {CATALOG}.{quoted_name(table)}" + (f" FOR VERSION AS OF '{ref}'" if ref else ""), wanted)

    def read_where(self, table, wanted, column, value):
        kind, text = value.type, text_of(value, value.type)
        if is_uuid(kind):
            literal = f"UUID '{text}'"
        elif pa.types.is_binary(kind) or pa.types.is_fixed_size_binary(kind):
            literal = f"X'{text}'"
        elif pa.types.is_date(kind) or pa.types.is_time(kind):
            literal = f"DATE '{text}'" if pa.types.is_date(kind) else f"TIME '{text[:-3]}'"
        elif pa.types.is_timestamp(kind):
            shown = text.rstrip("Z").replace("T", " ")
            literal = f"TIMESTAMP '{shown if kind.unit == 'ns' else shown[:-3]}{' UTC' if kind.tz else ''}'"
        elif pa.types.is_decimal(kind):
            literal = f"CAST('{text}' AS DECIMAL({kind.precision},{kind.scale}))"
        elif pa.types.is_floating(kind):
            literal = f"CAST('{value.as_py()!r}' AS {'REAL' if pa.types.is_float32(kind) else 'DOUBLE'})".replace("inf", "Infinity")
        elif pa.types.is_string(kind):
            literal = "'" + value.as_py().replace("'", "''") + "'"
        else:
            literal = str(value.as_py()).lower()
        return self.ask(f"SELECT * FROM {CATALOG}.{quoted_name(table)} WHERE {column} = {literal}", wanted)

class FlinkReader:
    """Flink's SQL, through calve's catalog server."""
    name = "flink"

    def __init__(self, server, uri):
        self.flink = Flink(server)
        self.flink.add_catalog(f"`{CATALOG}`", catalog_type="rest", uri=uri, cache_enabled="false")

    def read(self, table, wanted=None, ref=None):
        hint = f" /*+ OPTIONS('{'tag' if ref in ('first', 'good') else 'branch'}'='{ref}') */" if ref else ""
        try:
            return self.flink.sql(f"SELECT * FROM `{CATALOG}`.{quoted_name(table, '`')}{hint}").bag(wanted)
        except SqlError as error:
            raise Refused.by(error) from error

class Chdb:
    """ClickHouse's engine in a process of its own, on a table's folder, which must lie below the folder where that process runs."""
    name = "chdb"

    def __init__(self, project, locate):
        self.project, self.locate, self.pool = project, locate, None

    def read(self, table, wanted=None, ref=None):
        if ref:
            raise Refused("it has no names for branches and tags")
        if self.pool is None:
            self.pool = concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), os.chdir, (self.project,))
        folder = os.path.dirname(os.path.dirname(self.locate(table)[0]))
        try:
            data = self.pool.submit(ask_chdb, f"SELECT * FROM icebergLocal('{folder}/')").result(60)
        except concurrent.futures.process.BrokenProcessPool as broken:
            self.pool = None
            raise Refused("chdb crashed") from broken
        except (RuntimeError, UnicodeDecodeError) as error:  # some of its words are not UTF-8
            raise Refused.by(error) from error
        with pa.ipc.open_stream(data) as reader:
            found = reader.read_all()
        for i, field in enumerate(found.schema):  # texts and bytes are one type to it, and timestamps with a time zone and without
            if wanted and field.name in wanted.names and field.type != wanted.field(field.name).type:
                try:
                    found = found.set_column(i, field.name, found.column(i).cast(wanted.field(field.name).type))
                except (pa.ArrowException, NotImplementedError):
                    pass
        return Rows.of(found, wanted)

def ask_chdb(sql):
    import chdb
    return chdb.query(f"{sql} SETTINGS output_format_arrow_string_as_string=0, session_timezone='UTC'", "ArrowStream").bytes()

def quoted_name(table, mark='"'):
    return ".".join(f"{mark}{part}{mark}" for part in table.split("."))

class Spark:
    """Spark SQL over the shared catalog. The session is one for the whole test."""
    name = "spark"

    def __init__(self, project, jars, java_home):
        os.environ.update(JAVA_HOME=java_home, SPARK_LOCAL_IP="127.0.0.1", TZ="UTC")
        from pyspark.sql import SparkSession
        catalog = f"spark.sql.catalog.{CATALOG}"
        settings = {
            "spark.jars": ",".join(os.path.join(jars, jar) for jar in sorted(os.listdir(jars)) if jar.endswith(".jar")),
            "spark.driver.memory": "1g", "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1",
            "spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.sql.shuffle.partitions": "2", "spark.sql.session.timeZone": "UTC",
            "spark.local.dir": f"{project}/spark", "spark.sql.warehouse.dir": f"{project}/spark-warehouse",
            "spark.driver.extraJavaOptions": "-Duser.timezone=UTC",
            "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
            catalog: "org.apache.iceberg.spark.SparkCatalog", f"{catalog}.type": "jdbc",
            f"{catalog}.uri": f"jdbc:sqlite:{project}/metadata/catalog.db", f"{catalog}.jdbc.schema-version": "V1",
            f"{catalog}.warehouse": f"file://{project}/warehouse", f"{catalog}.cache-enabled": "false",
        }
        builder = SparkSession.builder.master("local[2]").appName("interop")
        for key, value in settings.items():
            builder = builder.config(key, value)
        self.session = builder.getOrCreate()
        self.session.sparkContext.setLogLevel("OFF")

    def sql(self, statement):
        return self.session.sql(statement)

    def read(self, table, wanted=None, ref=None):
        try:
            at = f" VERSION AS OF '{ref}'" if ref else ""
            return Rows.of(self.sql(f"SELECT * FROM {CATALOG}.{table}{at}").toArrow(), wanted)
        except Exception as error:  # whatever the JVM threw, through py4j
            raise Refused.by(error) from error

    def read_where(self, table, wanted, column, value):
        kind, text = value.type, text_of(value, value.type)
        if pa.types.is_binary(kind) or pa.types.is_fixed_size_binary(kind):
            literal = f"X'{text}'"
        elif is_uuid(kind):
            literal = f"'{text}'"
        elif pa.types.is_date(kind) or pa.types.is_time(kind):
            literal = f"{'DATE' if pa.types.is_date(kind) else 'TIME'} '{text}'"
        elif pa.types.is_timestamp(kind):
            literal = f"TIMESTAMP '{text[:-1]}Z'" if kind.tz else f"TIMESTAMP_NTZ '{text}'"
        elif pa.types.is_decimal(kind):
            literal = f"CAST('{text}' AS DECIMAL({kind.precision},{kind.scale}))"
        elif pa.types.is_floating(kind):
            literal = f"CAST('{text}' AS {'FLOAT' if pa.types.is_float32(kind) else 'DOUBLE'})"
        elif pa.types.is_string(kind):
            literal = "'" + value.as_py().replace("'", "\\'") + "'"
        else:
            literal = str(value.as_py()).lower()
        try:
            return Rows.of(self.sql(f"SELECT * FROM {CATALOG}.{table} WHERE {column} = {literal}").toArrow(), wanted)
        except Exception as error:
            raise Refused.by(error) from error

class Java:
    """Iceberg Java's generic reader, for types that Spark has not: in Spark's JVM."""
    name = "java"

    def __init__(self, spark):
        self.spark = spark
        self.jvm = spark.session._jvm

    def table(self, name):
        return self.jvm.org.apache.iceberg.spark.Spark3Util.loadIcebergTable(self.spark.session._jsparkSession, f"{CATALOG}.{name}")

    def read(self, table, wanted=None, ref=None):
        try:
            loaded = self.table(table)
            scan = self.jvm.org.apache.iceberg.data.IcebergGenerics.read(loaded)
            if ref:
                scan = scan.useSnapshot(loaded.refs()[ref].snapshotId())
            columns = [field.name() for field in loaded.schema().columns()]
            rows = []
            records = scan.build().iterator()
            while records.hasNext():
                record = records.next()
                rows.append(tuple(java_text(record.getField(name), wanted.field(name).type) for name in columns))
            return Rows(columns, rows)
        except Exception as error:
            raise Refused.by(error) from error

def java_text(value, wanted):
    """Text of a value as py4j hands it over: numbers, texts, bytes, lists and maps as Python's, all else as a Java object."""
    if value is None:
        return "NULL"
    if pa.types.is_struct(wanted):
        return "{" + ", ".join(f"{f.name}: {java_text(value.getField(f.name), f.type)}" for f in wanted) + "}"
    if pa.types.is_map(wanted):
        entries = [(e.getKey(), e.getValue()) for e in value.entrySet()]  # a look-up by key would ask for another kind of number
        return "{" + ", ".join(sorted(f"{java_text(k, wanted.key_type)}: {java_text(v, wanted.item_type)}" for k, v in entries)) + "}"
    if pa.types.is_list(wanted):
        return "[" + ", ".join(java_text(item, wanted.value_type) for item in value) + "]"
    if is_uuid(wanted):
        return uuid_text(value.toString())
    if pa.types.is_binary(wanted) or pa.types.is_fixed_size_binary(wanted):
        return bytes_text(value if isinstance(value, (bytes, bytearray)) else value.duplicate().array())
    if pa.types.is_floating(wanted):
        return float_text(value, pa.types.is_float32(wanted))
    if pa.types.is_decimal(wanted):
        return f"{value:f}"
    if pa.types.is_date32(wanted):
        return date_text(value.toEpochDay())
    if pa.types.is_time(wanted):
        return time_text(value.toNanoOfDay())
    if pa.types.is_timestamp(wanted):
        if isinstance(value, int):  # a partition's constant of nanoseconds comes as it is stored
            return timestamp_text(value, wanted.tz is not None)
        return timestamp_text(value.toLocalDate().toEpochDay() * 86400 * 10**9 + value.toLocalTime().toNanoOfDay(), wanted.tz is not None)
    return Rows.of(pa.table({"v": pa.array([value], wanted)})).bag.most_common()[0][0][0]
