room_uses(DuckDB::duckdb Arrow::arrow Arrow::parquet fmt::fmt)
