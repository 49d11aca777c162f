#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalog.h"
#include "config/option.h"

namespace calve::load {

enum class WriteMode { kAppend, kOverwrite, kMerge };
inline config::Names<WriteMode> NamesOf(WriteMode) {
  return {{"append", WriteMode::kAppend, "Add the rows."},
          {"overwrite", WriteMode::kOverwrite,
           "Put the rows in place of those that `overwrite` names."},
          {"merge", WriteMode::kMerge,
           "Put each row in place of the one with the same `key`; add it where there is none. "
           "As the table property write.merge.mode says, data files that hold rows to be replaced "
           "are written anew (copy-on-write), or the rows are deleted by deletion vectors, in "
           "format version 2 by position delete files (merge-on-read); without it each file as it "
           "costs less."}};
}

enum class OverwriteScope { kTable, kPartitions, kFilter };
inline config::Names<OverwriteScope> NamesOf(OverwriteScope) {
  return {{"table", OverwriteScope::kTable, "All rows of the table."},
          {"partitions", OverwriteScope::kPartitions,
           "The rows of the partitions that the new rows fall into."},
          {"filter", OverwriteScope::kFilter,
           "The rows that `where` describes. Only whole files are replaced: a file with other rows "
           "too is refused by name."}};
}

enum class AdoptFiles { kAuto, kNever };
inline config::Names<AdoptFiles> NamesOf(AdoptFiles) {
  return {{"auto", AdoptFiles::kAuto,
           "Copy Parquet files that suit the table as they are, without decoding them."},
          {"never", AdoptFiles::kNever,
           "Decode every value and write it anew, as the table's properties say."}};
}

/// The iceberg loader's options.
struct IcebergOptions {
  std::string catalog;
  std::string database;
  std::string table;
  WriteMode write_mode = WriteMode::kAppend;
  std::optional<OverwriteScope> overwrite;
  std::optional<config::Node> where;
  bool allow_empty = false;
  std::vector<std::string> key;
  std::vector<std::string> latest_by;
  std::string delete_flag;
  AdoptFiles adopt_files = AdoptFiles::kAuto;
  std::vector<std::string> partition_by;
  std::vector<std::string> sort_by;
  int format_version = 2;
  std::string location;
  std::map<std::string, std::string> properties;
  config::Node written = config::Node::Mapping();  ///< What they were read from.

  static config::Shape<IcebergOptions> Declaration();
  /// Fails as the declaration's Parse does.
  static Result<IcebergOptions> Read(const config::Node& node);

  /// Where the value of an option stands; where all of them stand, if it is not given.
  config::Place PlaceOf(std::string_view option) const;
  /// Where an item of a list stands.
  config::Place PlaceOf(std::string_view option, size_t item) const;
  config::Place PlaceOfProperty(std::string_view property) const;

  Result<catalog::TableName> Name() const;
};

}  // namespace calve::load
