"""A peer that holds the table and upserts when it is told to: peer.py spark|pyiceberg LINEITEM FOLDER VERSION MODE. Reads the path of a file from
each line of standard input, upserts its rows into the table as it was loaded first, and prints seconds and the rows that the table then has."""
import glob, os, sys, time

peer, lineitem, folder, version, mode = sys.argv[1:6]
COLUMNS = """l_orderkey bigint, l_partkey bigint, l_suppkey bigint, l_linenumber int, l_quantity decimal(15,2), l_extendedprice decimal(15,2),
    l_discount decimal(15,2), l_tax decimal(15,2), l_returnflag string, l_linestatus string, l_shipdate date, l_commitdate date,
    l_receipt_ts timestamp_ntz, l_shipinstruct string, l_shipmode string, l_comment string"""

def spark():
    from pyspark.sql import SparkSession
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    jar, = glob.glob(f"{root}/build/interop/jars/iceberg-spark-runtime*.jar")
    session = (SparkSession.builder.master("local[2]").config("spark.driver.memory", "4g").config("spark.jars", jar).config("spark.ui.enabled", "false")
               .config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1").config("spark.local.dir", f"{folder}/tmp")
               .config("spark.sql.session.timeZone", "UTC").config("spark.sql.shuffle.partitions", "4")
               .config("spark.sql.extensions", "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions")
               .config("spark.sql.catalog.l", "org.apache.iceberg.spark.SparkCatalog").config("spark.sql.catalog.l.type", "hadoop")
               .config("spark.sql.catalog.l.warehouse", f"file://{folder}/warehouse").getOrCreate())
    session.sparkContext.setLogLevel("ERROR")
    session.sql(f"CREATE TABLE l.bench.lineitem ({COLUMNS}) USING iceberg TBLPROPERTIES ('format-version'='{version}', 'write.merge.mode'='{mode}')")
    session.read.parquet(lineitem).writeTo("l.bench.lineitem").append()
    first = session.sql("SELECT snapshot_id FROM l.bench.lineitem.snapshots").first()[0]

    def upsert(file):
        session.sql(f"CALL l.system.rollback_to_snapshot('bench.lineitem', {first})")
        session.read.parquet(file).createOrReplaceTempView("news")
        start = time.monotonic()
        session.sql("MERGE INTO l.bench.lineitem t USING news n ON t.l_orderkey = n.l_orderkey WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *")
        took = time.monotonic() - start
        return took, session.sql("SELECT count(*) FROM l.bench.lineitem").first()[0]
    return upsert

def pyiceberg():
    import pyarrow.parquet
    from pyiceberg.catalog.sql import SqlCatalog
    catalog = SqlCatalog("bench", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}/warehouse")
    catalog.create_namespace("bench")
    rows = pyarrow.parquet.read_table(lineitem)

    def upsert(file):
        if catalog.table_exists("bench.lineitem"):
            catalog.drop_table("bench.lineitem")
        table = catalog.create_table("bench.lineitem", schema=rows.schema)
        table.append(rows)
        news = pyarrow.parquet.read_table(file)
        start = time.monotonic()
        table.upsert(news, join_cols=["l_orderkey"])
        return time.monotonic() - start, int(table.current_snapshot().summary["total-records"])
    return upsert

upsert = {"spark": spark, "pyiceberg": pyiceberg}[peer]()
print("ready", flush=True)
for line in sys.stdin:
    print(*upsert(line.strip()), flush=True)
