"""Rows for a table of many small files, as Parquet: lineitem's columns with comments that do not compress, 5,700 rows a file. small_files.py FOLDER FILES"""
import hashlib, os, sys
import duckdb
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "path"))
from data import SELECT

ROWS_OF_A_FILE = 5700

def make(folder, files):
    path = f"{folder}/small_files_{files}"
    if not os.path.exists(path):
        os.makedirs(f"{path}.part", exist_ok=True)
        comment = " || ".join(f"md5((l_orderkey * {prime})::VARCHAR)" for prime in (7, 13, 17, 19, 23))
        duckdb.sql("SET threads = 1")
        for i in range(files):
            rows = SELECT.replace("range(1, {rows} + 1)", f"range({i * ROWS_OF_A_FILE + 1}, {(i + 1) * ROWS_OF_A_FILE + 1})")
            duckdb.sql(f"COPY (SELECT * REPLACE ({comment} AS l_comment) FROM ({rows})) TO '{path}.part/{i:05}.parquet' (FORMAT parquet, COMPRESSION zstd)")
        os.rename(f"{path}.part", path)
    return path

if __name__ == "__main__":
    made = make(sys.argv[1], int(sys.argv[2]))
    digest = hashlib.sha256()
    for name in sorted(os.listdir(made)):
        digest.update(open(f"{made}/{name}", "rb").read())
    print(made, digest.hexdigest()[:16], sum(os.path.getsize(f"{made}/{name}") for name in os.listdir(made)))
