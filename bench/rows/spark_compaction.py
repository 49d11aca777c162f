"""A warm Spark that compacts a table of calve's catalog when it is told to: spark_compaction.py PROJECT TABLE. For each line of standard input it
calls rewrite_data_files, and prints seconds, files before and after, and its peak memory in MB."""
import glob, os, sys, time
from pyspark.sql import SparkSession

project, table = sys.argv[1:3]
root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
settings = {
    "spark.jars": ",".join(sorted(glob.glob(f"{root}/build/interop/jars/*.jar"))), "spark.driver.memory": "4g", "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1", "spark.local.dir": f"{project}/spark", "spark.sql.session.timeZone": "UTC",
    "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions", "spark.sql.catalog.local": "org.apache.iceberg.spark.SparkCatalog",
    "spark.sql.catalog.local.type": "jdbc", "spark.sql.catalog.local.uri": f"jdbc:sqlite:{project}/metadata/catalog.db", "spark.sql.catalog.local.jdbc.schema-version": "V1",
    "spark.sql.catalog.local.warehouse": f"file://{project}/warehouse", "spark.sql.catalog.local.cache-enabled": "false"}
builder = SparkSession.builder.master("local[2]")
for key, value in settings.items():
    builder = builder.config(key, value)
session = builder.getOrCreate()
session.sparkContext.setLogLevel("ERROR")
java = session._jvm.java.lang.ProcessHandle.current().pid()
print("ready", session.version, session._jvm.org.apache.iceberg.IcebergBuild.version(), flush=True)
for _ in sys.stdin:
    start = time.monotonic()
    done = session.sql(f"CALL local.system.rewrite_data_files('{table}')").first()
    took = time.monotonic() - start
    peak, = (int(line.split()[1]) / 1000 for line in open(f"/proc/{java}/status") if line.startswith("VmHWM"))
    print(took, done["rewritten_data_files_count"], done["added_data_files_count"], int(peak), flush=True)
