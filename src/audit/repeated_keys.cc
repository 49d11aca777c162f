#include "audit/repeated_keys.h"

#include <arrow/array.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "audit/columns.h"
#include "base/executor.h"

namespace calve::audit {
namespace {

/// So few hashes are looked up by name; more repeated keys are counted by reading them all.
constexpr size_t kSuspectsMax = 1000;

/// Hashes, spread over groups by their first byte so that each is sorted in a processor's cache.
class Hashes {
 public:
  explicit Hashes(ByteCount memory)
      : count_max_(static_cast<size_t>(memory.value()) / sizeof(uint64_t)) {}

  /// False when there is no room.
  bool Add(const arrow::UInt64Array& hashes) {
    count_ += static_cast<size_t>(hashes.length());
    if (count_ > count_max_) return false;
    for (int64_t i = 0; i < hashes.length(); ++i) {
      const uint64_t hash = hashes.Value(i);
      groups_[hash >> 56].push_back(hash);
    }
    return true;
  }

  /// Those that were added more than once, each once.
  Result<std::vector<uint64_t>> TakeRepeated(const Context& context) {
    const auto find = [this](size_t group) {
      KeepRepeated(&groups_[group]);
      return Status::Ok();
    };
    CALVE_RETURN_IF_ERROR(context.executor->ParallelFor(groups_.size(), find));
    std::vector<uint64_t> repeated;
    for (const auto& group : groups_) repeated.insert(repeated.end(), group.begin(), group.end());
    return repeated;
  }

 private:
  static void KeepRepeated(std::vector<uint64_t>* hashes) {
    std::sort(hashes->begin(), hashes->end());
    size_t kept = 0;
    for (size_t i = 1; i < hashes->size(); ++i) {
      const uint64_t hash = (*hashes)[i];
      if (hash == (*hashes)[i - 1] && (kept == 0 || (*hashes)[kept - 1] != hash))
        (*hashes)[kept++] = hash;
    }
    hashes->resize(kept);
  }

  const size_t count_max_;
  size_t count_ = 0;
  std::array<std::vector<uint64_t>, 256> groups_;
};

class RepeatedKeys {
 public:
  RepeatedKeys(const Context& context, engine::Engine& engine, engine::TableResolver& resolver,
               const std::vector<std::string>& columns, ByteCount memory)
      : context_(context),
        engine_(engine),
        resolver_(resolver),
        keys_(ColumnList(columns)),
        memory_(memory) {
    for (const std::string& column : columns) {
      given_ += given_.empty() ? "" : " AND ";
      given_ += engine::QuoteIdentifier(column) + " IS NOT NULL";
    }
  }

  Result<int64_t> Count() {
    for (uint64_t parts = 1;; parts *= 4) {
      CALVE_ASSIGN_OR_RETURN(const std::optional<int64_t> count, CountInParts(parts));
      if (count.has_value()) return *count;
    }
  }

 private:
  /// Nothing when a part does not fit in memory.
  Result<std::optional<int64_t>> CountInParts(uint64_t parts) {
    int64_t repeated = 0;
    for (uint64_t part = 0; part < parts; ++part) {
      const std::string only =
          parts == 1 ? "" : fmt::format(" AND hash({}) % {} = {}", keys_, parts, part);
      CALVE_ASSIGN_OR_RETURN(const std::optional<int64_t> count, CountPart(only));
      if (!count.has_value()) return std::optional<int64_t>();
      repeated += *count;
    }
    return std::optional<int64_t>(repeated);
  }

  Result<std::optional<int64_t>> CountPart(const std::string& only) {
    Hashes hashes(memory_);
    CALVE_ASSIGN_OR_RETURN(
        const auto stream,
        Query(fmt::format("SELECT hash({}) FROM this WHERE {}{}", keys_, given_, only)));
    while (true) {
      CALVE_ASSIGN_OR_RETURN(const columnar::Batch batch, stream->Next(context_));
      if (batch == nullptr) break;
      if (!hashes.Add(static_cast<const arrow::UInt64Array&>(*batch->column(0))))
        return std::optional<int64_t>();
    }
    CALVE_ASSIGN_OR_RETURN(const std::vector<uint64_t> suspects, hashes.TakeRepeated(context_));
    if (suspects.empty()) return std::optional<int64_t>(0);
    std::string among = only;
    if (suspects.size() <= kSuspectsMax)
      among = fmt::format(" AND hash({}) IN ({})", keys_, fmt::join(suspects, ", "));
    return CountExactly(among);
  }

  /// By the keys themselves.
  Result<std::optional<int64_t>> CountExactly(const std::string& among) {
    CALVE_ASSIGN_OR_RETURN(
        const auto stream,
        Query(fmt::format("SELECT count(*) FROM (SELECT {0} FROM this WHERE {1}{2} GROUP BY {0} "
                          "HAVING count(*) > 1)",
                          keys_, given_, among)));
    CALVE_ASSIGN_OR_RETURN(const columnar::Batch row, stream->Next(context_));
    if (row == nullptr || row->num_rows() != 1) return BugError("a count gave no row");
    return std::optional<int64_t>(static_cast<const arrow::Int64Array&>(*row->column(0)).Value(0));
  }

  Result<std::unique_ptr<engine::ResultStream>> Query(const std::string& sql) {
    return engine_.Query(context_, sql, {.resolver = &resolver_});
  }

  const Context& context_;
  engine::Engine& engine_;
  engine::TableResolver& resolver_;
  const std::string keys_;
  const ByteCount memory_;
  std::string given_;  ///< A condition: no value of the key is NULL.
};

}  // namespace

Result<int64_t> CountRepeatedKeys(const Context& context, engine::Engine& engine,
                                  engine::TableResolver& resolver,
                                  const std::vector<std::string>& columns, ByteCount memory) {
  return RepeatedKeys(context, engine, resolver, columns, memory).Count();
}

}  // namespace calve::audit
