#include "avro/file_writer.h"

#include <algorithm>

#include "base/text.h"

namespace calve::avro {
namespace {

constexpr std::string_view kMagic("Obj\1", 4);

std::string EncodeHeader(const Schema& schema, const FileWriterOptions& options) {
  std::string header(kMagic);
  Encoder encoder(&header);
  encoder.WriteBlockCount(options.metadata.size() + 2);
  encoder.WriteString("avro.schema");
  encoder.WriteBytes(schema.ToJson());
  encoder.WriteString("avro.codec");
  encoder.WriteBytes(ToString(options.codec));
  for (const auto& [key, value] : options.metadata) {
    encoder.WriteString(key);
    encoder.WriteBytes(value);
  }
  encoder.WriteEnd();
  encoder.WriteFixed(
      {reinterpret_cast<const char*>(options.sync_marker.data()), options.sync_marker.size()});
  return header;
}

}  // namespace

FileWriter::FileWriter(Sink sink, const FileWriterOptions& options)
    : sink_(std::move(sink)),
      codec_(Codec::Make(options.codec, options.level)),
      block_bytes_(options.block_bytes),
      sync_marker_(options.sync_marker.begin(), options.sync_marker.end()),
      block_(std::make_unique<std::string>()),
      encoder_(std::make_unique<Encoder>(block_.get())) {}

Result<FileWriter> FileWriter::Open(const Schema& schema, Sink sink, FileWriterOptions options) {
  if (std::all_of(options.sync_marker.begin(), options.sync_marker.end(),
                  [](uint8_t byte) { return byte == 0; })) {
    return BugError("expected a random sync marker, found zeros");
  }
  for (const auto& [key, value] : options.metadata) {
    if (key.starts_with("avro.")) {
      return BugError("expected metadata keys that do not begin with avro., found " + Quote(key));
    }
  }
  FileWriter writer(std::move(sink), options);
  CALVE_RETURN_IF_ERROR(writer.Emit(EncodeHeader(schema, options)));
  return writer;
}

Status FileWriter::Emit(std::string_view bytes) {
  CALVE_RETURN_IF_ERROR(sink_(bytes));
  bytes_written_ += static_cast<int64_t>(bytes.size());
  return Status::Ok();
}

Status FileWriter::EndRecord() {
  record_begin_ = block_->size();
  ++block_records_;
  ++record_count_;
  return block_->size() < block_bytes_ ? Status::Ok() : FlushBlock();
}

Status FileWriter::Append(std::string_view encoded) {
  encoder_->WriteFixed(encoded);
  return EndRecord();
}

Status FileWriter::FlushBlock() {
  CALVE_ASSIGN_OR_RETURN(const std::string_view stored, codec_->Compress(*block_));
  std::string head;
  Encoder encoder(&head);
  encoder.WriteLong(block_records_);
  encoder.WriteLong(static_cast<int64_t>(stored.size()));
  CALVE_RETURN_IF_ERROR(Emit(head));
  CALVE_RETURN_IF_ERROR(Emit(stored));
  CALVE_RETURN_IF_ERROR(Emit(sync_marker_));
  block_->clear();
  record_begin_ = 0;
  block_records_ = 0;
  return Status::Ok();
}

Status FileWriter::Close() {
  if (block_->size() != record_begin_) return BugError("a record was begun and not ended");
  return block_records_ == 0 ? Status::Ok() : FlushBlock();
}

Sink AppendTo(std::string* out) {
  return [out](std::string_view bytes) {
    out->append(bytes);
    return Status::Ok();
  };
}

}  // namespace calve::avro
