#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "iceberg/manifest.h"
#include "iceberg/partition.h"
#include "iceberg/schema.h"

namespace calve::iceberg {

/// What manifests keep of one column: table property write.metadata.metrics.column.<name> or
/// .default.
struct MetricsMode {
  enum class Kind { kNone, kCounts, kTruncate, kFull };
  Kind kind = Kind::kTruncate;
  int length = 16;  ///< Of kTruncate: characters of strings, bytes of binaries.

  /// Read `none`, `counts`, `truncate(16)` or `full`, in any case. Fails with kConfig naming these.
  static Result<MetricsMode> Parse(std::string_view text);
  std::string ToString() const;
  bool operator==(const MetricsMode&) const = default;
};

/// The modes of all columns of a table. A value. Threads: any may read.
class MetricsConfig {
 public:
  /// Every column as the default says.
  MetricsConfig() = default;
  /// Read the table's properties. Without a default, tables with more than
  /// write.metadata.metrics.max-inferred-column-defaults (100) columns keep metrics of the first
  /// ones only. Columns of the sort order keep at least truncate(16), for they prune best. Fails
  /// with kConfig naming property and column.
  static Result<MetricsConfig> Make(const std::map<std::string, std::string>& properties,
                                    const Schema& schema, const SortOrder& order);

  const MetricsMode& ModeOf(FieldId id) const;

 private:
  MetricsMode default_;
  std::map<FieldId, MetricsMode> modes_;
};

/// Cut a lower bound to `length` characters (of a string) or bytes; never above the value. Other
/// types come back as they are.
std::string TruncateLowerBound(const Type& type, std::string_view bound, int length);
/// Cut an upper bound and round it up so that it stays at or above the value; nothing when no such
/// bound exists (0xFF...). Strings are rounded by code point, past the surrogates, and stay valid
/// UTF-8.
std::optional<std::string> TruncateUpperBound(const Type& type, std::string_view bound, int length);

/// Put the bounds of one column into `metrics` as its mode says. `lower` and `upper` are the least
/// and greatest value that is neither null nor NaN, or null when there is none. Zeros of floats are
/// widened to -0.0 and 0.0. Types without an order here (variant, geo, nested, unknown) get none.
/// Fails with kBug when a value is not of the type.
Status SetBounds(Metrics& metrics, FieldId id, const Type& type, const MetricsMode& mode,
                 const Value& lower, const Value& upper);

}  // namespace calve::iceberg
