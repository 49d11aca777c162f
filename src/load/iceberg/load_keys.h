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

namespace calve::load {

/// The keys of the rows that a load has written, read back from its data files.
///
/// They are held in memory as long as they fit into `bytes_max`; more are gone through in parts, by
/// hash, each read anew. For one thread.
class LoadKeys {
 public:
  struct Options {
    iceberg::MetadataPtr table;  ///< That the files were written for.
    KeyColumns columns;
    std::vector<iceberg::DataFilePtr> files;
    int64_t bytes_max = 64 << 20;
  };
  LoadKeys(io::FileSystem& files, Options options)
      : files_(files), options_(std::move(options)), listed_(options_.columns.fields().size()) {}

  /// See that every row has a key, and each another one. Fails with kData, naming column or keys.
  Status Check(const Context& context);

  /// Call use(keys) for each part; over all parts each key is in one. It may be called more than
  /// once for a key, when parts turn out too large. Fails as Check does.
  Status ForEachPart(const Context& context, const std::function<Status(const KeySet& keys)>& use);

  /// What tells the rows of a table apart that surely have none of the keys: ranges over the key
  /// columns, or, after Check, all values of a small load.
  iceberg::Expression FilterFor(const iceberg::Schema& table) const;

  const KeyColumns& columns() const { return options_.columns; }

 private:
  Result<bool> Fill(const Context& context, size_t part, KeySet* keys);
  Status CheckNulls(const arrow::RecordBatch& rows) const;
  bool IsListed() const;
  iceberg::Expression RangeOf(const iceberg::Field& column) const;

  io::FileSystem& files_;
  const Options options_;
  size_t parts_ = 1;
  std::optional<KeySet> whole_;                      ///< When one part holds all.
  std::vector<std::vector<iceberg::Value>> listed_;  ///< By column, with repeats; of a small load.
};

}  // namespace calve::load
