#include "load/iceberg/options.h"

#include "load/iceberg/row_filter.h"

namespace calve::load {
namespace {

constexpr const char* kFormatVersion = "format-version";

}  // namespace

config::Shape<IcebergOptions> IcebergOptions::Declaration() {
  config::Shape<IcebergOptions> shape(
      "iceberg loader",
      "Load into an Iceberg table: staged on a branch, audited there, then published.");
  shape.Required("database", &IcebergOptions::database,
                 "The namespace; levels are separated by dots.",
                 {.example = "sales", .aliases = {"namespace"}});
  shape.Required("table", &IcebergOptions::table,
                 "The table; when it is not there it is made with its first row.",
                 {.example = "daily_sales"});
  shape.Optional("catalog", &IcebergOptions::catalog, "The catalog, by its name in calve.yaml.",
                 {.default_text = "the default catalog"});
  shape.Optional("write_mode", &IcebergOptions::write_mode, "What happens to rows that are there.");
  shape.Optional("overwrite", &IcebergOptions::overwrite,
                 "With write_mode overwrite: which rows are replaced.", {.default_text = "table"});
  shape.Optional("where", &IcebergOptions::where,
                 "With overwrite filter: the rows that are replaced, by column: a value, a list of "
                 "values, null, or a range, such as {region: [EU, US], day: {min: 2026-11-01, "
                 "below: 2026-12-01}}; max is a bound too.");
  shape.Optional("allow_empty", &IcebergOptions::allow_empty,
                 "With write_mode overwrite: whether a source without a row takes away the rows "
                 "that it would replace. Without it such a load fails and changes nothing. "
                 "overwrite: partitions replaces nothing then, in either case.");
  shape.Optional(
      "adopt_files", &IcebergOptions::adopt_files,
      "What happens to Parquet files whose columns have the table's names and types, and "
      "that are no smaller than a sixteenth of write.target-file-size-bytes. "
      "`calve plan` says which are adopted, and why others are not.");
  shape.Optional("key", &IcebergOptions::key,
                 "With write_mode merge: the columns by which rows are the same. Values are "
                 "compared exactly; they may be of any type but float, double and nested ones. A "
                 "load with NULL in one of them is refused and says which.",
                 {.default_text = "the contract's key"});
  shape.Optional(
      "latest_by", &IcebergOptions::latest_by,
      "With write_mode merge: columns, such as [changed_at], by which of "
      "several rows of a load with one key the latest is told: the one with the greatest "
      "value in the first of them holds, where they are equal there in the next; NULL "
      "is before all others. Without it, and where rows are equal in all of them, a "
      "load with a key twice is refused and says which.");
  shape.Optional(
      "delete_flag", &IcebergOptions::delete_flag,
      "With write_mode merge: a boolean column of the incoming rows that is no column of "
      "the table. A row in which it is true is not added: the row with its key is "
      "deleted, where there is one. The contract's checks do not look at such rows.");
  shape.Optional("partition_by", &IcebergOptions::partition_by,
                 "For a new table: columns or transforms of them, such as day(ts), bucket(16, id), "
                 "truncate(4, name).",
                 {.example = "[month(date)]"});
  shape.Optional("sort_by", &IcebergOptions::sort_by,
                 "For a new table: columns or transforms of them by which the rows of each file "
                 "are sorted, such as region, ts desc, name desc nulls_first, bucket(16, id).",
                 {.example = "[ts desc]"});
  shape.Optional("format_version", &IcebergOptions::format_version,
                 "For a new table: the version of Iceberg's format.", {.min = 2, .max = 3});
  shape.Optional("location", &IcebergOptions::location, "For a new table: its folder.",
                 {.default_text = "below the catalog's warehouse"});
  shape.Optional("properties", &IcebergOptions::properties,
                 "For a new table: table properties, by Iceberg's names, such as "
                 "write.target-file-size-bytes.");
  shape.Check("table", [](const IcebergOptions& options) -> Status {
    if (options.database.empty()) return Status::Ok();  // That it is missing is said.
    return options.Name().status();
  });
  shape.Check("overwrite", [](const IcebergOptions& options) -> Status {
    if (options.write_mode == WriteMode::kOverwrite || !options.overwrite.has_value())
      return Status::Ok();
    return ConfigError(
        "overwrite says which rows are replaced, but write_mode is another; set write_mode: "
        "overwrite");
  });
  shape.Check("allow_empty", [](const IcebergOptions& options) -> Status {
    if (options.write_mode == WriteMode::kOverwrite || !options.allow_empty) return Status::Ok();
    return ConfigError(
        "allow_empty says that rows may be replaced by none, but no rows are replaced; set "
        "write_mode: overwrite");
  });
  shape.Check("key", [](const IcebergOptions& options) -> Status {
    if (options.write_mode == WriteMode::kMerge || options.key.empty()) return Status::Ok();
    return ConfigError(
        "key says which rows are the same, but rows are not merged; set write_mode: merge");
  });
  shape.Check("latest_by", [](const IcebergOptions& options) -> Status {
    if (options.write_mode == WriteMode::kMerge || options.latest_by.empty()) return Status::Ok();
    return ConfigError(
        "latest_by says which row of a key holds, but rows are not merged; set write_mode: merge");
  });
  shape.Check("delete_flag", [](const IcebergOptions& options) -> Status {
    if (options.write_mode == WriteMode::kMerge || options.delete_flag.empty()) return Status::Ok();
    return ConfigError(
        "delete_flag says which rows delete the one with their key, but rows are not merged; set "
        "write_mode: merge");
  });
  shape.Check("where", [](const IcebergOptions& options) -> Status {
    const bool by_filter = options.overwrite == OverwriteScope::kFilter;
    if (by_filter == options.where.has_value()) return Status::Ok();
    return ConfigError(by_filter ? "overwrite: filter replaces the rows that where describes, but "
                                   "there is no where"
                                 : "where describes the rows that overwrite: filter replaces; set "
                                   "overwrite: filter");
  });
  shape.CheckNode(
      [](const IcebergOptions& options, const config::Node& node, config::Faults& faults) {
        if (options.where.has_value()) CheckRowFilter(*options.where, faults);
        if (!options.properties.contains(kFormatVersion)) return;
        faults.Add(node.Find("properties")->Find(kFormatVersion)->place(),
                   std::string(kFormatVersion) + " is no property of a table",
                   "say it as format_version of the loader");
      });
  return shape;
}

Result<IcebergOptions> IcebergOptions::Read(const config::Node& node) {
  CALVE_ASSIGN_OR_RETURN(IcebergOptions options, Declaration().Parse(node));
  options.written = node;
  return options;
}

config::Place IcebergOptions::PlaceOf(std::string_view option) const {
  const config::Node* value = written.Find(option);
  return value == nullptr ? written.place() : value->place();
}

config::Place IcebergOptions::PlaceOf(std::string_view option, size_t item) const {
  const config::Node* list = written.Find(option);
  const bool has_item = list != nullptr && item < list->items().size();
  return has_item ? list->items()[item].place() : PlaceOf(option);
}

config::Place IcebergOptions::PlaceOfProperty(std::string_view property) const {
  const config::Node* all = written.Find("properties");
  const config::Node* value = all == nullptr ? nullptr : all->Find(property);
  return value == nullptr ? PlaceOf("properties") : value->place();
}

Result<catalog::TableName> IcebergOptions::Name() const {
  if (table.find('.') != std::string::npos) {
    return ConfigError("table '" + table + "' has a dot; put the namespace into database");
  }
  for (const char c : database + table) {
    if (c != '@' && static_cast<unsigned char>(c) >= 0x20 && c != 0x7F) continue;
    return ConfigError("table " + config::QuoteForMessage(database + "." + table) +
                       " has an @ or a control character, by which no query could name it; use "
                       "letters, digits and _");
  }
  return catalog::TableName::Parse(database + "." + table);
}

}  // namespace calve::load
