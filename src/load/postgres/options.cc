#include "load/postgres/options.h"

#include "load/held_back.h"

namespace calve::load::postgres {

config::Names<WriteMode> NamesOf(WriteMode) {
  return {
      {"append", WriteMode::kAppend, "Add the rows."},
      {"overwrite", WriteMode::kOverwrite, "Put the rows in place of all rows of the table."},
      {"merge", WriteMode::kMerge,
       "Update the row with the same `key`; add it where there is none. Columns that the source "
       "has not keep their values."}};
}

config::Shape<PostgresOptions> PostgresOptions::Declaration() {
  using Options = PostgresOptions;
  config::Shape<Options> shape(
      "postgres loader",
      "Load into a table of PostgreSQL (10 or later) by its binary COPY: the rows wait in a "
      "temporary table, and one transaction brings them, with the position of their source, into "
      "the table once the contract's checks hold there.");
  shape.Include(io::PostgresAddress::Declaration());
  shape.Optional("schema", &Options::schema,
                 "The table's schema; when it is not there it is made with the first row.");
  shape.Required("table", &Options::table,
                 "The table; when it is not there it is made with its first row.",
                 {.example = "daily_sales"});
  shape.Optional("write_mode", &Options::write_mode, "What happens to rows that are there.");
  shape.Optional("allow_empty", &Options::allow_empty,
                 "With write_mode overwrite: whether a source without a row takes away the rows "
                 "that it would replace. Without it such a load fails and changes nothing.");
  shape.Optional("key", &Options::key,
                 "With write_mode merge: the columns by which rows are the same; of a new table "
                 "they are its primary key. A load with NULL in one of them, or with a key twice, "
                 "is refused and says which.",
                 {.default_text = "the contract's key"});
  shape.Check("allow_empty", [](const Options& options) -> Status {
    if (options.write_mode == WriteMode::kOverwrite || !options.allow_empty) return Status::Ok();
    return ConfigError(
        "allow_empty says that rows may be replaced by none, but no rows are replaced; set "
        "write_mode: overwrite");
  });
  shape.Check("key", [](const Options& options) -> Status {
    if (options.write_mode == WriteMode::kMerge || options.key.empty()) return Status::Ok();
    return ConfigError(
        "key says which rows are the same, but rows are not merged; set write_mode: merge");
  });
  shape.Check("table", [](const Options& options) -> Status {
    const size_t bytes_max = kNameBytesMax - kQuarantineSuffix.size();
    if (options.table.size() <= bytes_max) return Status::Ok();
    return ConfigError("expected a name of at most " + std::to_string(bytes_max) +
                       " bytes, so that the name of the table's quarantine is one of PostgreSQL "
                       "too, found " +
                       std::to_string(options.table.size()));
  });
  return shape;
}

std::string RelationName::Quoted() const {
  return QuoteIdentifier(schema) + "." + QuoteIdentifier(name);
}

std::string QuoteIdentifier(const std::string& name) {
  std::string quoted = "\"";
  for (const char c : name) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

}  // namespace calve::load::postgres
