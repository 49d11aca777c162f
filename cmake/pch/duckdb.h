// Precompiled for the one part that speaks DuckDB's C++ API.
#include "plain.h"

#include <duckdb.hpp>
#include <duckdb/catalog/catalog.hpp>
#include <duckdb/common/multi_file/multi_file_reader.hpp>
#include <duckdb/function/table_function.hpp>
