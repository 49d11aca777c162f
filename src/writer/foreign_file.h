#pragma once

#include <parquet/metadata.h>

#include <functional>
#include <memory>
#include <string>

#include "base/context.h"
#include "base/result.h"
#include "io/file_system.h"
#include "writer/footer_ids.h"

namespace calve::writer {

/// A Parquet file that another program wrote, as far as its footer tells. For one thread.
class ForeignFile {
 public:
  /// Read the footer. Fails with kData when the file has none that can be read in plain.
  static Result<ForeignFile> Open(const Context& context, io::FileSystem& files,
                                  const io::FileInfo& info);

  const parquet::FileMetaData& footer() const { return *footer_; }
  ByteCount size() const { return input_->size(); }
  /// Where the pages, indexes and bloom filters end.
  int64_t data_end() const { return data_end_; }

  /// What a copy came to.
  struct Copied {
    ByteCount size{0};
    std::shared_ptr<parquet::FileMetaData> footer;
  };
  /// Write to `uri`, durably, the file's bytes at their places behind a footer in which its columns
  /// have `ids`. `copied` is told how many bytes more were copied, so often that a person sees it
  /// move. Fails with kUnknownOutcome as io::OutputFile::Close does.
  Result<Copied> CopyTo(const Context& context, io::FileSystem& files, const std::string& uri,
                        const FieldIds& ids, const std::function<void(ByteCount)>& copied);

 private:
  ForeignFile() = default;
  Status CopyData(const Context& context, io::OutputFile& out,
                  const std::function<void(ByteCount)>& copied);

  std::unique_ptr<io::InputFile> input_;
  std::string thrift_;  ///< The footer as encoded.
  std::shared_ptr<parquet::FileMetaData> footer_;
  int64_t data_end_ = 0;
};

}  // namespace calve::writer
