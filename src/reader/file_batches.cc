#include "reader/file_batches.h"

#include <fmt/format.h>

#include <utility>

namespace calve::reader {
namespace {

Result<std::unique_ptr<FileBatches>> Open(std::shared_ptr<io::InputFile> input,
                                          iceberg::FileFormat format, FileOptions options) {
  switch (format) {
    case iceberg::FileFormat::kParquet:
      return OpenParquet(std::move(input), std::move(options));
    case iceberg::FileFormat::kAvro:
      return OpenAvro(std::move(input), std::move(options));
    case iceberg::FileFormat::kOrc:
      return OpenOrc(std::move(input), std::move(options));
    case iceberg::FileFormat::kPuffin:
      break;
  }
  return DataError(
      "a Puffin file holds no rows; the manifest that lists it as a file of rows is wrong");
}

/// Names the file in every error.
class NamedBatches : public FileBatches {
 public:
  NamedBatches(std::unique_ptr<FileBatches> batches, std::string path)
      : batches_(std::move(batches)), path_(std::move(path)) {}

  Result<std::optional<FileBatch>> Next(const Context& context) override {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    auto batch = batches_->Next(context);
    if (!batch.ok()) return While("read " + path_, std::move(batch).error());
    return batch;
  }

 private:
  std::unique_ptr<FileBatches> batches_;
  std::string path_;
};

}  // namespace

Result<std::unique_ptr<FileBatches>> OpenFile(const Context& context, io::FileSystem& files,
                                              const iceberg::DataFile& file, FileOptions options) {
  if (file.key_metadata)
    return RefusedError(
        fmt::format("{} is encrypted, which this version does not read", file.path));
  // The manifest's size saves object stores a request; one that is wrong would cut the file, and
  // Parquet says so.
  io::InputOptions input_options;
  if (file.file_size_in_bytes > 0) input_options.size = ByteCount(file.file_size_in_bytes);
  CALVE_ASSIGN_OR_RETURN(std::shared_ptr<io::InputFile> input,
                         files.OpenInput(context, file.path, input_options));
  auto batches = Open(std::move(input), file.format, std::move(options));
  if (!batches.ok()) return While("read " + file.path, std::move(batches).error());
  return std::make_unique<NamedBatches>(*std::move(batches), file.path);
}

}  // namespace calve::reader
