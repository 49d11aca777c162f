"""The benchmarks' rows: the shape of TPC-H's lineitem, 6,000,000 of them, made by DuckDB from numbers alone, so that every machine has the same."""
import hashlib, os, sys
import duckdb

ROWS = 6_000_000
SELECT = """
    SELECT n AS l_orderkey, n * 7919 % 200000 AS l_partkey, n * 104729 % 10000 AS l_suppkey, (n % 7)::INT AS l_linenumber,
           (n * 31 % 50 + 1)::DECIMAL(15, 2) AS l_quantity, (n * 1237 % 10495000 / 100.0)::DECIMAL(15, 2) AS l_extendedprice,
           (n % 11 / 100.0)::DECIMAL(15, 2) AS l_discount, (n % 9 / 100.0)::DECIMAL(15, 2) AS l_tax,
           ['A', 'N', 'R'][n % 3 + 1] AS l_returnflag, ['O', 'F'][n % 2 + 1] AS l_linestatus,
           DATE '1992-01-01' + (n % 2526)::INT AS l_shipdate, DATE '1992-01-01' + (n * 3 % 2526)::INT AS l_commitdate,
           TIMESTAMP '1992-01-01' + to_microseconds(n * 1000003 % 80000000000000) AS l_receipt_ts,
           ['DELIVER IN PERSON', 'COLLECT COD', 'NONE', 'TAKE BACK RETURN'][n % 4 + 1] AS l_shipinstruct,
           ['AIR', 'FOB', 'MAIL', 'RAIL', 'REG AIR', 'SHIP', 'TRUCK'][n % 7 + 1] AS l_shipmode,
           substr(md5(n::VARCHAR), 1, (n % 27)::INT + 5) AS l_comment
    FROM range(1, {rows} + 1) t(n)"""

def make(folder, form, rows=ROWS):
    """The file's path; it is made unless it is there."""
    path = f"{folder}/lineitem_{rows}.{form}"
    if os.path.exists(path):
        return path
    os.makedirs(folder, exist_ok=True)
    options = {"csv": "FORMAT csv, HEADER", "parquet": "FORMAT parquet, COMPRESSION zstd", "jsonl": "FORMAT json"}[form]
    duckdb.sql("SET threads = 1")  # In the order of the numbers.
    duckdb.sql(f"COPY ({SELECT.format(rows=rows)}) TO '{path}.part' ({options})")
    os.rename(f"{path}.part", path)
    return path

if __name__ == "__main__":
    made = make(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))
    print(made, hashlib.file_digest(open(made, "rb"), "sha256").hexdigest()[:16])
