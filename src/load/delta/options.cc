#include "load/delta/options.h"

#include "io/uri.h"

namespace calve::load::delta {

config::Names<WriteMode> NamesOf(WriteMode) {
  return {{"append", WriteMode::kAppend, "Add the rows."},
          {"overwrite", WriteMode::kOverwrite, "Put the rows in place of all rows of the table."}};
}

config::Shape<DeltaOptions> DeltaOptions::Declaration() {
  using Options = DeltaOptions;
  config::Shape<Options> shape(
      "delta loader",
      "Load into a Delta Lake table on a disk or in S3: the files are written, the contract's "
      "checks "
      "are run on the table as it would be, and one entry of its log brings them in.");
  shape.Required("location", &Options::location,
                 "The table's folder; when there is no table it is made with its first row.",
                 {.example = "s3://lake/daily_sales"});
  shape.Optional(
      "table", &Options::table,
      "The name by which its contract is found (contracts/<table>.yaml) and messages call "
      "it.",
      {.example = "sales.daily_sales", .default_text = "the last part of location"});
  shape.Optional("write_mode", &Options::write_mode, "What happens to rows that are there.");
  shape.Optional("allow_empty", &Options::allow_empty,
                 "With write_mode overwrite: whether a source without a row takes away the rows "
                 "that it would replace. Without it such a load fails and changes nothing.");
  shape.Optional("partition_by", &Options::partition_by,
                 "For a new table: columns by whose values its files are told apart; of the types "
                 "string, int, long, boolean, date and decimal.",
                 {.example = "[day]"});
  shape.Check("location", [](const Options& options) -> Status {
    if (!options.Name().empty()) return Status::Ok();
    return ConfigError("expected the folder of the table, such as s3://lake/daily_sales");
  });
  shape.Check("allow_empty", [](const Options& options) -> Status {
    if (options.write_mode == WriteMode::kOverwrite || !options.allow_empty) return Status::Ok();
    return ConfigError(
        "allow_empty says that rows may be replaced by none, but no rows are replaced; set "
        "write_mode: overwrite");
  });
  return shape;
}

std::string DeltaOptions::Location(const std::string& folder) const {
  std::string place = location;
  while (place.size() > 1 && place.back() == '/') place.pop_back();
  const bool is_relative = io::SchemeOf(place).empty() && place.front() != '/' && !folder.empty();
  return is_relative ? io::JoinUri(folder, place) : place;
}

std::string DeltaOptions::Name() const {
  if (!table.empty()) return table;
  std::string_view place = location;
  while (!place.empty() && place.back() == '/') place.remove_suffix(1);
  return std::string(io::BaseName(place));
}

}  // namespace calve::load::delta
