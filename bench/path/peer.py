"""A peer's way to load the rows, as its documentation shows it: peer.py PEER FORM FILE FOLDER [month]. Prints the table's bytes."""
import glob, os, sys

peer, form, file, folder = sys.argv[1:5]
month = sys.argv[5:] == ["month"]
COLUMNS = """l_orderkey bigint, l_partkey bigint, l_suppkey bigint, l_linenumber int, l_quantity decimal(15,2), l_extendedprice decimal(15,2),
    l_discount decimal(15,2), l_tax decimal(15,2), l_returnflag string, l_linestatus string, l_shipdate date, l_commitdate date,
    l_receipt_ts timestamp_ntz, l_shipinstruct string, l_shipmode string, l_comment string"""

def arrow_types():
    import pyarrow as pa
    types = {"bigint": pa.int64(), "int": pa.int32(), "decimal(15,2)": pa.decimal128(15, 2), "string": pa.string(), "date": pa.date32(),
             "timestamp_ntz": pa.timestamp("us")}
    pairs = (column.split() for column in COLUMNS.replace("15,2", "15;2").split(","))
    return {name: types[kind.replace(";", ",")] for name, kind in pairs}

def pyiceberg():
    import pyarrow.csv, pyarrow.parquet
    from pyiceberg.catalog.sql import SqlCatalog
    from pyiceberg.transforms import MonthTransform
    catalog = SqlCatalog("bench", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}/warehouse")
    catalog.create_namespace("bench")
    if form == "csv":
        rows = pyarrow.csv.read_csv(file, convert_options=pyarrow.csv.ConvertOptions(column_types=arrow_types()))
    else:
        rows = pyarrow.parquet.read_table(file)
    table = catalog.create_table("bench.lineitem", schema=rows.schema)
    if month:
        with table.update_spec() as spec:
            spec.add_field("l_shipdate", MonthTransform(), "l_shipdate_month")
    table.append(rows)

def dlt():
    os.environ.update({"DLT_DATA_DIR": f"{folder}/dlt", "RUNTIME__DLTHUB_TELEMETRY": "false", "DESTINATION__FILESYSTEM__BUCKET_URL": f"file://{folder}/warehouse",
                       "NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID": "false", "PYICEBERG_DOWNCAST_NS_TIMESTAMP_TO_US_ON_WRITE": "true"})
    import dlt, pyarrow as pa, pyarrow.csv
    @dlt.resource(name="lineitem", table_format="iceberg", write_disposition="append")
    def rows():
        read = pyarrow.csv.ReadOptions(block_size=64 << 20)
        for batch in pyarrow.csv.open_csv(file, read_options=read, convert_options=pyarrow.csv.ConvertOptions(column_types=arrow_types())):
            yield pa.Table.from_batches([batch])
    dlt.pipeline("bench", destination="filesystem", dataset_name="bench", pipelines_dir=f"{folder}/pipelines").run(rows)

def spark():
    from pyspark.sql import SparkSession
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    jar, = glob.glob(f"{root}/build/interop/jars/iceberg-spark-runtime*.jar")
    session = (SparkSession.builder.master("local[2]").config("spark.driver.memory", "4g").config("spark.jars", jar).config("spark.ui.enabled", "false")
               .config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1").config("spark.local.dir", f"{folder}/tmp")
               .config("spark.sql.session.timeZone", "UTC").config("spark.sql.catalog.l", "org.apache.iceberg.spark.SparkCatalog")
               .config("spark.sql.catalog.l.type", "hadoop").config("spark.sql.catalog.l.warehouse", f"file://{folder}/warehouse").getOrCreate())
    rows = session.read.option("timestampNTZFormat", "yyyy-MM-dd HH:mm:ss.SSSSSS").csv(file, schema=COLUMNS, header=True)
    session.sql(f"CREATE TABLE l.bench.lineitem ({COLUMNS}) USING iceberg {'PARTITIONED BY (months(l_shipdate))' if month else ''}")
    rows.writeTo("l.bench.lineitem").append()
    session.stop()

def duckdb():
    """Plain Parquet: DuckDB's own way in, without a table."""
    import duckdb
    os.makedirs(f"{folder}/warehouse")
    duckdb.sql("SET threads = 2")
    # Its guess from the first 20,000 rows does not hold for all of them.
    pairs = (column.split() for column in COLUMNS.replace("15,2", "15;2").replace("timestamp_ntz", "timestamp").split(","))
    columns = ", ".join(f"{name}: '{kind.replace(';', ',')}'" for name, kind in pairs)
    duckdb.sql(f"COPY (FROM read_json('{file}', columns = {{{columns}}}, format = 'newline_delimited')) TO '{folder}/warehouse/lineitem.parquet' (FORMAT parquet, COMPRESSION zstd)")

{"pyiceberg": pyiceberg, "dlt": dlt, "spark": spark, "duckdb": duckdb}[peer]()
print(sum(os.path.getsize(p) for p in glob.glob(f"{folder}/warehouse/**/*.parquet", recursive=True)))
