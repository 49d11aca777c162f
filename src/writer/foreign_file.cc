#include "writer/foreign_file.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <utility>
#include <vector>

namespace calve::writer {
namespace {

constexpr std::string_view kMagic = "PAR1";
/// A footer's length and the magic behind it.
constexpr int64_t kTailBytes = 8;
/// Footers are mostly smaller, so that one read has them whole.
constexpr int64_t kFirstRead = 128 << 10;
constexpr int64_t kFooterBytesMax = 64 << 20;
/// Large enough for a request to an object store to be worth its while.
constexpr int64_t kCopyBytes = 4 << 20;

Error NoFooter(const std::string& uri, std::string_view reason) {
  return DataError("the footer of " + uri + " cannot be read: " + std::string(reason));
}

Result<std::shared_ptr<parquet::FileMetaData>> ParseFooter(const std::string& uri,
                                                           const std::string& thrift) {
  try {
    return parquet::FileMetaData::Make(thrift.data(), static_cast<int64_t>(thrift.size()));
  } catch (const std::exception& error) {  // Parquet throws on broken footers.
    return NoFooter(uri, error.what());
  }
}

std::string TailOf(const std::string& thrift) {
  const auto length = static_cast<uint32_t>(thrift.size());
  std::string tail;
  for (int shift = 0; shift < 32; shift += 8) tail.push_back(static_cast<char>(length >> shift));
  return tail.append(kMagic);
}

}  // namespace

Result<ForeignFile> ForeignFile::Open(const Context& context, io::FileSystem& files,
                                      const io::FileInfo& info) {
  ForeignFile file;
  CALVE_ASSIGN_OR_RETURN(file.input_, files.OpenInput(context, info.uri, {.size = info.size}));
  const int64_t size = file.input_->size().value();
  const int64_t first = std::min(size, kFirstRead);
  CALVE_ASSIGN_OR_RETURN(std::string end, file.input_->ReadAt(size - first, first));
  CALVE_ASSIGN_OR_RETURN(const std::string begin,
                         file.input_->ReadAt(0, std::min<int64_t>(size, 4)));
  if (first < kTailBytes || !end.ends_with(kMagic) || begin != kMagic)
    return NoFooter(info.uri, "the file does not begin and end as Parquet files do");
  int64_t length = 0;
  for (size_t i = 0; i < 4; ++i)
    length |= int64_t{static_cast<uint8_t>(end[end.size() - kTailBytes + i])} << (8 * i);
  file.data_end_ = size - kTailBytes - length;
  if (length > kFooterBytesMax || file.data_end_ < static_cast<int64_t>(kMagic.size()))
    return NoFooter(info.uri, "its length is none that a footer has");
  if (length + kTailBytes <= first) {
    file.thrift_ = end.substr(end.size() - static_cast<size_t>(length + kTailBytes),
                              static_cast<size_t>(length));
  } else {
    CALVE_ASSIGN_OR_RETURN(file.thrift_, file.input_->ReadAt(file.data_end_, length));
  }
  CALVE_ASSIGN_OR_RETURN(file.footer_, ParseFooter(info.uri, file.thrift_));
  return file;
}

Status ForeignFile::CopyData(const Context& context, io::OutputFile& out,
                             const std::function<void(ByteCount)>& copied) {
  std::vector<char> block(static_cast<size_t>(std::min(data_end_, kCopyBytes)));
  for (int64_t at = 0; at < data_end_;) {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    const auto wanted = static_cast<size_t>(std::min(data_end_ - at, kCopyBytes));
    CALVE_ASSIGN_OR_RETURN(const size_t got,
                           input_->ReadInto(at, std::span<char>(block).first(wanted)));
    if (got != wanted) {
      return DataError(input_->uri() + " has become shorter while it was copied; run again when " +
                       "it is written whole");
    }
    CALVE_RETURN_IF_ERROR(out.Write(std::string_view(block.data(), got)));
    at += static_cast<int64_t>(got);
    copied(ByteCount(static_cast<int64_t>(got)));
  }
  return Status::Ok();
}

Result<ForeignFile::Copied> ForeignFile::CopyTo(const Context& context, io::FileSystem& files,
                                                const std::string& uri, const FieldIds& ids,
                                                const std::function<void(ByteCount)>& copied) {
  CALVE_ASSIGN_OR_RETURN(const std::string thrift, WithFieldIds(thrift_, ids));
  Copied copy;
  CALVE_ASSIGN_OR_RETURN(copy.footer, ParseFooter(uri, thrift));
  CALVE_ASSIGN_OR_RETURN(const auto out, files.OpenOutput(context, uri));
  CALVE_RETURN_IF_ERROR(CopyData(context, *out, copied));
  CALVE_RETURN_IF_ERROR(out->Write(thrift));
  CALVE_RETURN_IF_ERROR(out->Write(TailOf(thrift)));
  CALVE_ASSIGN_OR_RETURN(copy.size, out->Close());
  copied(ByteCount(size().value() - data_end_));
  return copy;
}

}  // namespace calve::writer
