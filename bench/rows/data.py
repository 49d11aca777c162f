"""Rows to upsert into the benchmarks' lineitem: half of their keys are there, spread evenly over the table, half are new. data.py FOLDER KEYS."""
import hashlib, os, sys
import duckdb

ROWS = 6_000_000

def make(folder, keys):
    path = f"{folder}/upsert_{keys}.parquet"
    if not os.path.exists(path):
        step = ROWS // (keys // 2)
        there = f"SELECT * REPLACE ((l_quantity + 1)::DECIMAL(15, 2) AS l_quantity) FROM '{folder}/lineitem_{ROWS}.parquet' WHERE l_orderkey % {step} = 0"
        new = f"SELECT * REPLACE (l_orderkey + 10000000 AS l_orderkey) FROM '{folder}/lineitem_{ROWS}.parquet' WHERE l_orderkey % {step} = 0"
        duckdb.sql("SET threads = 1")
        duckdb.sql(f"COPY ({there} UNION ALL {new}) TO '{path}.part' (FORMAT parquet, COMPRESSION zstd)")
        os.rename(f"{path}.part", path)
    return path

if __name__ == "__main__":
    made = make(sys.argv[1], int(sys.argv[2]))
    print(made, hashlib.file_digest(open(made, "rb"), "sha256").hexdigest()[:16])
