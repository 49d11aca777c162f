"""A peer's way to load a table of a database, as its documentation shows it: peer.py PEER URI FOLDER. Prints the table's bytes."""
import glob, os, sys

peer, uri, folder = sys.argv[1:4]

def adbc():
    """PyIceberg, with the rows that ADBC gives. It gives numeric as text, which is made a number here."""
    import adbc_driver_postgresql.dbapi, pyarrow as pa
    from pyiceberg.catalog.sql import SqlCatalog
    catalog = SqlCatalog("bench", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}/warehouse")
    catalog.create_namespace("bench")
    cursor = adbc_driver_postgresql.dbapi.connect(uri).cursor()
    cursor.execute("SELECT * FROM lineitem")
    reader = cursor.fetch_record_batch()
    fields = [pa.field(f.name, pa.decimal128(15, 2)) if isinstance(f.type, pa.BaseExtensionType) else f for f in reader.schema]
    schema = pa.schema([pa.field(f.name, f.type) for f in fields])
    def plain(array):
        return array.storage if isinstance(array, pa.ExtensionArray) else array
    batches = [pa.record_batch([plain(a).cast(f.type) for a, f in zip(batch.columns, schema)], schema=schema) for batch in reader]
    table = catalog.create_table("bench.lineitem", schema=schema)
    table.append(pa.Table.from_batches(batches))

def adbc_read():
    """What ADBC alone takes to give the rows."""
    import adbc_driver_postgresql.dbapi
    cursor = adbc_driver_postgresql.dbapi.connect(uri).cursor()
    cursor.execute("SELECT * FROM lineitem")
    print(sum(batch.num_rows for batch in cursor.fetch_record_batch()), "rows")

def connectorx():
    os.environ.update({"DLT_DATA_DIR": f"{folder}/dlt", "RUNTIME__DLTHUB_TELEMETRY": "false", "DESTINATION__FILESYSTEM__BUCKET_URL": f"file://{folder}/warehouse",
                       "PYICEBERG_DOWNCAST_NS_TIMESTAMP_TO_US_ON_WRITE": "true"})
    import dlt
    from dlt.sources.sql_database import sql_table
    named = uri.replace("postgresql:", "postgresql+psycopg2:").replace("mysql:", "mysql+pymysql:")  # for what asks for the columns
    rows = sql_table(named, table="lineitem", backend="connectorx", chunk_size=100_000,
                     backend_kwargs={"return_type": "arrow_stream", "conn": uri})
    rows.apply_hints(table_format="iceberg", write_disposition="append")
    dlt.pipeline("bench", destination="filesystem", dataset_name="bench", pipelines_dir=f"{folder}/pipelines").run(rows)

{"adbc": adbc, "adbc_read": adbc_read, "connectorx": connectorx}[peer]()
print(sum(os.path.getsize(f) for f in glob.glob(f"{folder}/warehouse/**/data/**/*.parquet", recursive=True)))
