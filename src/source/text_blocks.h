#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "columnar/traced_batch.h"
#include "io/compression.h"

namespace calve::source {

/// How many LF are in a text.
int64_t CountLines(std::string_view text);

/// Finds where the rows of one format end. It sees a file's text once, from its start to its end.
class RowEnds {
 public:
  /// Of a text: the bytes [begin, end) are whole rows, what is before is of no row.
  struct Cut {
    size_t begin = 0;
    size_t end = 0;  ///< 0: not one row is whole.
    int64_t lines_before = 0;
    int64_t lines = 0;  ///< Up to `end`.
  };
  virtual ~RowEnds() = default;
  /// Look through `text`, which begins where the last cut ended. Unless it is `at_end` of the file,
  /// more follows; there it is cut at its end. Fails with kData when the file has another form.
  virtual Result<Cut> Find(std::string_view text, bool at_end) = 0;
};

/// A stretch of a file that begins and ends with rows. It keeps its memory from one filling to the
/// next.
class TextBlock {
 public:
  std::string_view text() const { return std::string_view(buffer_).substr(begin_, size_ - begin_); }
  /// The line of its first row, from 1.
  int64_t first_line() const { return first_line_; }
  /// Leave out what stands before its rows, such as a header.
  void Skip(size_t bytes, int64_t lines) {
    begin_ += bytes;
    first_line_ += lines;
  }

 private:
  friend class TextBlocks;
  std::string buffer_;
  size_t begin_ = 0;
  size_t size_ = 0;
  int64_t first_line_ = 1;
};

/// The text of one file, cut into blocks of whole rows, which several readers take in turns and
/// parse side by side. So a file is read once and in order, compressed or not, local or remote.
/// Threads: any.
class TextBlocks {
 public:
  using Open = std::function<Result<std::unique_ptr<io::InputStream>>(const Context& context)>;

  /// `name` is for messages. The file is opened when its first block is asked for. A block has
  /// about `block_bytes`, and more where a row has.
  TextBlocks(std::string name, Open open, std::unique_ptr<RowEnds> row_ends, size_t block_bytes);

  const std::string& name() const { return name_; }
  /// Fill `block` with the next rows; false at the end. Fails with kData on a row of more than
  /// 64 MB, and as opening and reading do, naming the file and the line.
  Result<bool> Next(const Context& context, TextBlock* block);

 private:
  Result<bool> Take(const Context& context, TextBlock* block);
  /// False when the bytes taken hold no row.
  Result<bool> TakeOnce(TextBlock* block);
  Status Fill(TextBlock* block, size_t size);

  const std::string name_;
  const size_t block_bytes_;
  const Open open_;
  std::mutex mutex_;
  std::unique_ptr<io::InputStream> stream_;  ///< Null before the first block and after the last.
  std::unique_ptr<RowEnds> row_ends_;
  std::string rest_;  ///< What was read behind the last cut.
  int64_t line_ = 1;  ///< Of what is in `rest_`.
  bool at_end_ = false;
  Status failed_;  ///< A reader that comes later is told the same.
};

/// Where rows were first read, by the line at which each begins in the file that they are in now.
using FirstOrigins = std::map<int64_t, std::string>;

/// Names the lines of a text file for people.
class TextPlaces {
 public:
  /// `first`: of rows that were read before, from other files; null: of none.
  explicit TextPlaces(std::string file, std::shared_ptr<const FirstOrigins> first = nullptr)
      : file_(std::move(file)), first_(std::move(first)) {}
  /// Whether rows were read before.
  bool are_held() const { return first_ != nullptr; }
  /// "orders_0412.csv line 88,120"
  std::string At(int64_t line) const;

 private:
  const std::string file_;
  const std::shared_ptr<const FirstOrigins> first_;
};

/// Rows of a text file, by their lines.
class LineOrigins : public columnar::Origins {
 public:
  LineOrigins(TextPlaces places, std::vector<int64_t> lines)
      : places_(std::move(places)), lines_(std::move(lines)) {}
  std::string Describe(int64_t row) const override {
    return places_.At(lines_[static_cast<size_t>(row)]);
  }

 private:
  const TextPlaces places_;
  const std::vector<int64_t> lines_;
};

}  // namespace calve::source
