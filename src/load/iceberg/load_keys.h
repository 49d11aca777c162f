#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "iceberg/expression.h"
#include "iceberg/manifest.h"
#include "iceberg/metadata.h"
#include "io/file_system.h"
#include "load/iceberg/key_columns.h"
#include "load/iceberg/key_set.h"
#include "rows/rewrite.h"

namespace calve::load {

/// The keys of the rows that a load has written, read back from its files.
///
/// They are held in memory as long as they fit into `bytes_max`; more are gone through in parts, by
/// hash, each read anew. For one thread.
class LoadKeys {
 public:
  struct Options {
    KeyColumns columns;
    iceberg::MetadataPtr table;                 ///< That the files were written for.
    std::vector<iceberg::DataFilePtr> files;    ///< With the rows that are added.
    iceberg::MetadataPtr deletes_table;         ///< That these were written for:
    std::vector<iceberg::DataFilePtr> deletes;  ///< With KeyColumns::Stored of rows that delete.
    int64_t bytes_max = 64 << 20;
  };
  LoadKeys(io::FileSystem& files, Options options)
      : files_(files), options_(std::move(options)), listed_(options_.columns.fields().size()) {}

  /// See that every row has a key, and find those of Options::files that a later row with their key
  /// makes void: only files with such rows are given. Fails with kData on rows without a key, and
  /// where it cannot be told which row is the latest; names column or keys.
  Result<std::vector<rows::FileRows>> FindOutdated(const Context& context);
  /// Take these files, which have the same keys, in place of Options::files.
  void Replace(std::vector<iceberg::DataFilePtr> files) { options_.files = std::move(files); }

  /// Call use(keys) for each part; over all parts each key is in one. It may be called more than
  /// once for a key, when parts turn out too large.
  Status ForEachPart(const Context& context, const std::function<Status(const KeySet& keys)>& use);

  /// What tells the rows of a table apart that surely have none of the keys: ranges over the key
  /// columns, or, after FindOutdated, all values of a small load.
  iceberg::Expression FilterFor(const iceberg::Schema& table) const;

  const KeyColumns& columns() const { return options_.columns; }

 private:
  /// The keys of a part, and those of them that several rows have.
  struct Part {
    size_t number = 0;
    KeySet keys;
    KeySet repeated;
  };
  using UsePart = std::function<Status(const Part& part)>;
  Status GoThrough(const Context& context, const UsePart& use);
  Result<bool> Fill(const Context& context, Part* part);
  /// Call use(rows, file, is_delete) for each batch of all files.
  using UseRows = std::function<Status(const arrow::RecordBatch& rows, size_t file, bool deletes)>;
  Status Read(const Context& context, const iceberg::SchemaPtr& projection, const UseRows& use);
  bool IsIn(const Part& part, std::string_view key) const;
  /// Add the rows of a part that are outdated to those of each file.
  Status Judge(const Context& context, const Part& part,
               std::vector<iceberg::PositionSet>* outdated);
  Status CheckNulls(const arrow::RecordBatch& rows) const;
  bool IsListed() const;
  iceberg::Expression RangeOf(const iceberg::Field& column) const;

  io::FileSystem& files_;
  Options options_;
  size_t parts_ = 1;
  std::optional<KeySet> whole_;                      ///< When one part holds all.
  std::vector<std::vector<iceberg::Value>> listed_;  ///< By column, with repeats; of a small load.
};

}  // namespace calve::load
