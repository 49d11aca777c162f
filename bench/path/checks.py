"""The 20 checks of the benchmarks: as a contract of calve, and as one query of DuckDB over Parquet files: checks.py FILES."""
import sys

NOT_NULL = ["l_orderkey", "l_partkey", "l_suppkey", "l_linenumber", "l_quantity", "l_extendedprice", "l_shipdate", "l_shipmode"]
RANGES = {"l_quantity": (0, 100), "l_discount": (0, 1), "l_tax": (0, 1), "l_linenumber": (0, 7)}
ACCEPTED = {"l_returnflag": ["A", "N", "R"], "l_linestatus": ["O", "F"], "l_shipinstruct": ["COLLECT COD", "NONE", "DELIVER IN PERSON", "TAKE BACK RETURN"],
            "l_shipmode": ["FOB", "MAIL", "AIR", "REG AIR", "RAIL", "SHIP", "TRUCK"]}
PATTERNS = {"l_comment": "[0-9a-f]+", "l_shipmode": "[A-Z ]+"}

def contract():
    lines = [f"  - not_null: [{column}]" for column in NOT_NULL]
    lines += [f"  - range: {{column: {column}, min: {least}, max: {most}}}" for column, (least, most) in RANGES.items()]
    lines += [f"  - accepted_values: {{column: {column}, values: [{', '.join(values)}]}}" for column, values in ACCEPTED.items()]
    lines += [f"  - regex: {{column: {column}, pattern: '{pattern}'}}" for column, pattern in PATTERNS.items()]
    lines += ["  - unique: [l_orderkey]", "  - row_count: {min: 6000000, max: 6000000}"]
    assert len(lines) == 20
    return "checks:\n" + "\n".join(lines) + "\n"

def query(files):
    parts = [f"count(*) FILTER ({column} IS NULL)" for column in NOT_NULL]
    parts += [f"count(*) FILTER (NOT {column} BETWEEN {least} AND {most})" for column, (least, most) in RANGES.items()]
    parts += ["count(*) FILTER (NOT {} IN ({}))".format(column, ", ".join(f"'{value}'" for value in values)) for column, values in ACCEPTED.items()]
    parts += [f"count(*) FILTER (NOT regexp_full_match({column}, '{pattern}'))" for column, pattern in PATTERNS.items()]
    parts += ["count(*) - count(DISTINCT l_orderkey)", "count(*)"]
    return f"SELECT {', '.join(parts)} FROM '{files}'"

if __name__ == "__main__":
    import duckdb
    duckdb.sql("SET threads = 2")
    print(duckdb.sql(query(sys.argv[1])).fetchall())
