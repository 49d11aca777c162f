#pragma once

#include <arrow/type.h>

#include <any>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "base/strong.h"
#include "base/time.h"
#include "columnar/traced_batch.h"
#include "io/file_system.h"

namespace calve::source {

/// How far a source has been read; it goes into the summary of the snapshot that holds the rows,
/// and comes back from there.
///
/// `state` is small JSON with a version (at most 8 KiB); `ledger` holds long lists, such as the
/// files seen, and lies in a Puffin file that the snapshot names. Both belong to the source that
/// made them.
struct Position {
  std::string state;
  std::string ledger;
  bool operator==(const Position&) const = default;
};

/// A part of a source that can be read by itself, beside others.
struct Split {
  std::string label;   ///< "orders_0412.csv", for progress and errors.
  ByteCount bytes{0};  ///< An estimate; 0 when unknown.
  std::any payload;    ///< The source's own.
};

/// A Parquet file that holds exactly the rows of some splits, as the source gives them: a target may
/// take over the file in place of its rows.
struct WholeFile {
  io::FileInfo file;
  int64_t rows = 0;
  size_t first_split = 0;  ///< In ReadPlan::splits; the file's follow one another.
  size_t splits = 1;
};

/// What a run will read, decided before anything is read.
struct ReadPlan {
  std::shared_ptr<arrow::Schema> schema;  ///< Of every batch; exact types, inferred or declared.
  std::vector<Split> splits;
  std::vector<WholeFile> whole_files;  ///< In the order of their splits.
  std::optional<Position>
      position;  ///< To commit with the rows of all splits; none for sources without incremental.
  /// Gives that position once all splits were read to their ends, for sources that know it only
  /// then; empty: `position` it is.
  std::function<Result<Position>()> position_when_read;
  std::string summary;  ///< "3 new files, 412 MB (2,914 seen before)"
  ByteCount bytes{0};
  /// What was noticed while inferring, one sentence each, for `calve plan`: "quantity is long:
  /// 3,000,000,000 in line 18,233".
  std::vector<std::string> notes;
};

/// Batches of one split. For one thread.
class SplitReader {
 public:
  virtual ~SplitReader() = default;
  /// The next batch, or nothing at the end.
  virtual Result<std::optional<columnar::TracedBatch>> Next(const Context& context) = 0;
};

/// One stream that a source can give, for discover.
struct Stream {
  std::string name;
  std::shared_ptr<arrow::Schema> schema;
  std::string proposal = {};  ///< Options that a sample suggests, as YAML, a line each; "": none.
};

/// How much to take at once of a source that has no end, such as a topic: what comes first.
struct Window {
  Duration interval = std::chrono::seconds(10);
  int64_t rows_max = 500'000;
  ByteCount bytes_max{128 << 20};
};

struct PlanOptions {
  std::optional<Position> since;  ///< Where the last run ended; none: from the start.
  int64_t batch_rows_max = 64 * 1024;
  ByteCount batch_bytes_max{8 << 20};
  int parallelism = 2;  ///< How many splits will be read at once.
  /// Types that columns must have (a contract's or the table's), by name; a source with text reads
  /// into these instead of inferring. A value that does not fit becomes a reject.
  std::shared_ptr<arrow::Schema> wanted;
  /// Give a wanted column a wider type where the sample needs it (int to long, more digits, float
  /// to double); else such values become rejects.
  bool widen_wanted = false;
  /// Of a stream: wait for records as long as this says. None: take what there is.
  std::optional<Window> window = {};
};

/// Batches out of one system; it never sees a table. Check, Discover and Plan are for one thread;
/// readers of several splits work side by side.
class Source {
 public:
  virtual ~Source() = default;
  /// See that the source can be reached and read with the rights given, reading as little as
  /// possible.
  virtual Status Check(const Context& context) = 0;
  virtual Result<std::vector<Stream>> Discover(const Context& context) = 0;
  virtual Result<ReadPlan> Plan(const Context& context, const PlanOptions& options) = 0;
  /// `plan` is what Plan gave and outlives the reader.
  virtual Result<std::unique_ptr<SplitReader>> Open(const Context& context, const ReadPlan& plan,
                                                    const Split& split) = 0;
};

}  // namespace calve::source
