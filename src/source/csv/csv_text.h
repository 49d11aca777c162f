#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "source/csv/csv_options.h"
#include "source/text_blocks.h"

namespace calve::source {

/// One CSV file: its columns, and its rows in blocks that several readers share. Threads: any.
class CsvText {
 public:
  /// `options` and `resources` outlive it.
  CsvText(const CsvOptions& options, const Resources& resources, io::FileInfo info,
          size_t block_bytes);

  /// Open the file and read its header, unless another reader has.
  Status Open(const Context& context);
  const std::string& name() const { return blocks_.name(); }
  const TextPlaces& places() const { return places_; }
  /// In the file's order; none when it is empty. After Open.
  const std::vector<std::string>& columns() const { return columns_; }
  /// Fill `block` with the next rows; false at the end. After Open.
  Result<bool> Next(const Context& context, TextBlock* block);

 private:
  Status ReadHeader(const Context& context);
  Status CheckNames() const;

  const CsvOptions& options_;
  const TextPlaces places_;
  TextBlocks blocks_;
  std::mutex mutex_;
  std::optional<Status> opened_;
  std::optional<TextBlock> first_;  ///< What followed the header, until a reader takes it.
  std::vector<std::string> columns_;
};

/// The names of a file's columns, as they go with a row of it that is held back.
std::string HeldColumns(const std::vector<std::string>& columns);
/// Fails with kData on what HeldColumns did not print.
Result<std::vector<std::string>> ParseHeldColumns(const std::string& text);

}  // namespace calve::source
