#include <arrow/array.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "base/memory.h"
#include "base/text.h"
#include "columnar/arrow_status.h"
#include "columnar/row_text.h"
#include "transform/registry.h"

namespace calve::transform {
namespace {

constexpr int64_t kRowBytes = 50;
/// Of the memory that a run has for rows, what those gone by may take.
constexpr int64_t kMemoryShare = 4;

/// What becomes of a row whose like was there before.
enum class Duplicates { kLeaveOut, kHoldBack };
config::Names<Duplicates> NamesOf(Duplicates) {
  return {{"leave_out", Duplicates::kLeaveOut, "It is left out, and counted."},
          {"hold_back", Duplicates::kHoldBack, "It goes to quarantine."}};
}

struct DeduplicateOptions {
  std::vector<std::string> keys;
  Duplicates duplicates = Duplicates::kLeaveOut;
  std::optional<int64_t> rows_max;

  static config::Shape<DeduplicateOptions> Declaration() {
    config::Shape<DeduplicateOptions> shape(
        "deduplicate transformer",
        "Let the first of several rows that are alike go on, over all that a run reads.");
    shape.Optional("keys", &DeduplicateOptions::keys,
                   "Columns by which rows are alike; NULL is like NULL.",
                   {.example = "[id]", .default_text = "all"});
    shape.Optional("duplicates", &DeduplicateOptions::duplicates, "What becomes of the others.");
    shape.Optional("rows_max", &DeduplicateOptions::rows_max,
                   "How many rows that differ a run may have; about 50 bytes of memory are taken "
                   "for each, of a quarter of memory_limit at most. A run with more fails.",
                   {.min = 1, .default_text = "as many as have room"});
    return shape;
  }
};

/// The contents of rows that went by. Threads: any.
class SeenContents {
 public:
  using Digest = std::array<char, 16>;
  enum class Verdict { kFirst, kSeen, kTooMany };

  Verdict See(const Digest& digest, int64_t rows_max) {
    Shard& shard = shards_[static_cast<unsigned char>(digest[0]) % kShards];
    std::lock_guard lock(shard.mutex);
    if (shard.digests.contains(digest)) return Verdict::kSeen;
    if (rows_.fetch_add(1) >= rows_max) return Verdict::kTooMany;
    shard.digests.insert(digest);
    return Verdict::kFirst;
  }

 private:
  static constexpr size_t kShards = 64;
  struct Hash {
    size_t operator()(const Digest& digest) const {
      size_t hash = 0;
      std::memcpy(&hash, digest.data() + 8, sizeof(hash));
      return hash;
    }
  };
  struct Shard {
    std::mutex mutex;
    std::unordered_set<Digest, Hash> digests;
  };
  std::array<Shard, kShards> shards_;
  std::atomic<int64_t> rows_ = 0;
};

class Deduplicate : public Transform {
 public:
  Deduplicate(DeduplicateOptions options, std::vector<int> keys,
              std::shared_ptr<arrow::Schema> schema, std::shared_ptr<SeenContents> seen)
      : options_(std::move(options)),
        keys_(std::move(keys)),
        schema_(std::move(schema)),
        seen_(std::move(seen)) {}

  const std::shared_ptr<arrow::Schema>& schema() const override { return schema_; }

  Result<columnar::TracedBatch> Apply(const Context& context,
                                      columnar::TracedBatch batch) override {
    std::vector<int64_t> kept;
    const int64_t room = RoomFor(context);
    const int64_t rows = batch.rows->num_rows();
    for (int64_t row = 0; row < rows; ++row) {
      switch (seen_->See(DigestOf(*batch.rows, row),
                         std::min(room, options_.rows_max.value_or(room)))) {
        case SeenContents::Verdict::kFirst:
          kept.push_back(row);
          break;
        case SeenContents::Verdict::kSeen:
          if (options_.duplicates == Duplicates::kHoldBack)
            batch.rejects.push_back(batch.RejectOf(row, "", Reason()));
          break;
        case SeenContents::Verdict::kTooMany:
          return TooMany(room);
      }
    }
    if (options_.duplicates == Duplicates::kLeaveOut)
      batch.rows_dropped += rows - static_cast<int64_t>(kept.size());
    return columnar::TakeRows(std::move(batch), kept);
  }

 private:
  SeenContents::Digest DigestOf(const arrow::RecordBatch& rows, int64_t row) {
    text_.clear();
    for (const int key : keys_) {
      const arrow::Array& column = *rows.column(key);
      if (column.IsNull(row)) {
        text_ += "N;";
        continue;
      }
      const std::string value = columnar::CellText(column, row);
      text_ += std::to_string(value.size()) + ":" + value;
    }
    const std::string whole = Sha256(text_);
    SeenContents::Digest digest;
    std::memcpy(digest.data(), whole.data(), digest.size());
    return digest;
  }

  /// How many rows the memory of the run has room for.
  static int64_t RoomFor(const Context& context) {
    return context.memory == nullptr ? std::numeric_limits<int64_t>::max()
                                     : context.memory->limit().value() / kMemoryShare / kRowBytes;
  }

  Error TooMany(int64_t room) const {
    const bool is_set = options_.rows_max.value_or(room) < room;
    return RefusedError(
        "deduplicate: there are more than " + FormatCount(is_set ? *options_.rows_max : room) +
        " rows that differ" +
        (is_set ? "; raise rows_max" : ", as many as have room; raise memory_limit") +
        ", or load with write_mode: merge by the key");
  }

  std::string Reason() const {
    return options_.keys.empty()
               ? std::string("a row like this one was there before")
               : "a row with the same " + Join(options_.keys, ", ") + " was there before";
  }

  const DeduplicateOptions options_;
  const std::vector<int> keys_;
  const std::shared_ptr<arrow::Schema> schema_;
  const std::shared_ptr<SeenContents> seen_;
  std::string text_;
};

Result<std::unique_ptr<Transform>> MakeDeduplicate(const DeduplicateOptions& options,
                                                   const std::shared_ptr<arrow::Schema>& input,
                                                   const Resources& resources) {
  std::vector<int> keys;
  config::Faults faults;
  for (const std::string& key : options.keys) {
    const int place = input->GetFieldIndex(key);
    if (place < 0) {
      faults.Add({}, "deduplicate names a column '" + key + "', which is not there" +
                         DidYouMean(key, input->field_names()));
    }
    keys.push_back(place);
  }
  CALVE_RETURN_IF_ERROR(faults.ToStatus());
  if (keys.empty()) {
    for (int i = 0; i < input->num_fields(); ++i) keys.push_back(i);
  }
  auto seen = resources.states == nullptr ? std::make_shared<SeenContents>()
                                          : resources.states->Of<SeenContents>(resources.step);
  return std::make_unique<Deduplicate>(options, std::move(keys), input, std::move(seen));
}

constexpr std::string_view kDetails = R"(## Which row is the first

Rows of one file, or of one part of a table, come in their order. Several of these are read side by side, and which of their rows comes first is
not said: with `keys` and rows that differ elsewhere set `resources: {parallelism: 1}` on the job, or load with `write_mode: merge`.

`calve quarantine replay` loads rows that `duplicates: hold_back` has held back, as it does with all: drop them, where they are not wanted.

What earlier runs have read is not looked at; `write_mode: merge` by a key and the check `unique` of a contract do. Rows are told apart by 128 bits
of SHA-256 over the texts of their values.
)";

}  // namespace

CALVE_PART(deduplicate) {
  registry.Add({.type = "deduplicate",
                .meaning = "The first of several rows that are alike",
                .part = config::MakePart<DeduplicateOptions>("deduplicate"),
                .make = [](const Context&, const config::Node& node,
                           const std::shared_ptr<arrow::Schema>& input,
                           const Resources& resources) -> Result<std::unique_ptr<Transform>> {
                  CALVE_ASSIGN_OR_RETURN(const auto options,
                                         DeduplicateOptions::Declaration().Parse(node));
                  return MakeDeduplicate(options, input, resources);
                },
                .details = std::string(kDetails)});
}

}  // namespace calve::transform
