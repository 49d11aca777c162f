"""Rows for a table of many small files, 1 GB as Parquet: lineitem's columns with comments that do not compress. small_files.py FOLDER ROWS"""
import hashlib, os, sys
import duckdb
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "path"))
from data import SELECT

def make(folder, rows):
    path = f"{folder}/small_files_{rows}.parquet"
    if not os.path.exists(path):
        comment = "md5(l_orderkey::VARCHAR) || md5((l_orderkey * 7)::VARCHAR) || md5((l_orderkey * 13)::VARCHAR) || md5((l_orderkey * 17)::VARCHAR)"
        duckdb.sql("SET threads = 1")
        duckdb.sql(f"COPY (SELECT * REPLACE ({comment} AS l_comment) FROM ({SELECT.format(rows=rows)})) TO '{path}.part' (FORMAT parquet, COMPRESSION zstd)")
        os.rename(f"{path}.part", path)
    return path

if __name__ == "__main__":
    made = make(sys.argv[1], int(sys.argv[2]))
    print(made, hashlib.file_digest(open(made, "rb"), "sha256").hexdigest()[:16])
