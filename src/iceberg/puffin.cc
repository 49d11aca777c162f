#include "iceberg/puffin.h"

#include <cstring>

#include "iceberg/json.h"
#include "iceberg/puffin_codec.h"

namespace calve::iceberg {
namespace {

constexpr std::string_view kMagic = "PFA1";
constexpr size_t kSizeBytes = 4;
constexpr size_t kFlagsBytes = 4;
constexpr uint32_t kFooterIsCompressed = 1;
constexpr size_t kFooterBytesMin = kMagic.size() + kPuffinTailBytes;

Error NotPuffin(std::string_view found) {
  return DataError("expected a Puffin file, found " + std::string(found) +
                   "; it is damaged, cut or something else");
}

uint32_t NumberAt(std::string_view bytes, size_t at) {
  uint32_t value;
  std::memcpy(&value, bytes.data() + at, sizeof(value));
  return value;
}

void AppendNumber(uint32_t value, std::string* out) {
  out->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

Result<PuffinProperties> ReadProperties(const JsonObject& object) {
  PuffinProperties properties;
  const Json* json = object.Find("properties");
  if (json == nullptr) return properties;
  const std::string place = object.PlaceOf("properties");
  if (!json->is_object()) return Unexpected(place, "an object of texts", *json);
  for (const auto& [name, value] : json->items()) {
    if (!value.is_string()) return Unexpected(place + "." + name, "a text", value);
    properties.emplace_back(name, value.get<std::string>());
  }
  return properties;
}

/// Read a blob's metadata. `blobs_end` is where the footer begins.
Result<PuffinBlob> ReadBlob(const JsonObject& object, int64_t blobs_end) {
  PuffinBlob blob;
  CALVE_ASSIGN_OR_RETURN(blob.type, object.Text("type"));
  CALVE_ASSIGN_OR_RETURN(const std::vector<int32_t> fields, object.IntList("fields"));
  for (int32_t field : fields) blob.fields.emplace_back(field);
  CALVE_ASSIGN_OR_RETURN(blob.snapshot_id, object.GetSnapshotId("snapshot-id"));
  CALVE_ASSIGN_OR_RETURN(const int64_t sequence_number, object.Long("sequence-number"));
  blob.sequence_number = SequenceNumber(sequence_number);
  CALVE_ASSIGN_OR_RETURN(blob.offset, object.Long("offset"));
  CALVE_ASSIGN_OR_RETURN(blob.length, object.Long("length"));
  const bool inside = blob.offset >= static_cast<int64_t>(kMagic.size()) &&
                      blob.offset <= blobs_end && blob.length >= 0 &&
                      blob.length <= blobs_end - blob.offset;
  if (!inside) {
    return NotPuffin("blob at " + object.place() + " with offset " + std::to_string(blob.offset) +
                     " and length " + std::to_string(blob.length) + ", while blobs end at byte " +
                     std::to_string(blobs_end));
  }
  CALVE_ASSIGN_OR_RETURN(const std::optional<std::string> codec,
                         object.OptionalText("compression-codec"));
  if (codec) {
    CALVE_ASSIGN_OR_RETURN(blob.codec, ParsePuffinCodec(*codec));
  }
  CALVE_ASSIGN_OR_RETURN(blob.properties, ReadProperties(object));
  return blob;
}

Result<PuffinFooter> ReadPayload(std::string_view payload, int64_t blobs_end) {
  CALVE_ASSIGN_OR_RETURN(const Json json, ParseJson(payload));
  CALVE_ASSIGN_OR_RETURN(const JsonObject object, JsonObject::Of(json, ""));
  PuffinFooter footer;
  CALVE_RETURN_IF_ERROR(object.Array("blobs"));
  CALVE_ASSIGN_OR_RETURN(footer.blobs,
                         object.Objects<PuffinBlob>("blobs", [&](const JsonObject& blob) {
                           return ReadBlob(blob, blobs_end);
                         }));
  CALVE_ASSIGN_OR_RETURN(footer.properties, ReadProperties(object));
  return footer;
}

Json ToJson(const PuffinProperties& properties) {
  Json json = Json::object();
  for (const auto& [name, value] : properties) json[name] = value;
  return json;
}

Json ToJson(const PuffinBlob& blob) {
  Json json;
  json["type"] = blob.type;
  json["fields"] = Json::array();
  for (FieldId field : blob.fields) json["fields"].push_back(field.value());
  json["snapshot-id"] = blob.snapshot_id.value();
  json["sequence-number"] = blob.sequence_number.value();
  json["offset"] = blob.offset;
  json["length"] = blob.length;
  if (blob.codec != PuffinCodec::kNone) json["compression-codec"] = ToString(blob.codec);
  if (!blob.properties.empty()) json["properties"] = ToJson(blob.properties);
  return json;
}

}  // namespace

const std::string* FindProperty(const PuffinProperties& properties, std::string_view name) {
  for (const auto& [key, value] : properties) {
    if (key == name) return &value;
  }
  return nullptr;
}

Result<int64_t> PuffinFooterBytes(std::string_view tail) {
  if (tail.size() < kPuffinTailBytes || !tail.ends_with(kMagic))
    return NotPuffin("no PFA1 at its end");
  const uint32_t payload = NumberAt(tail, tail.size() - kPuffinTailBytes);
  if (payload > INT32_MAX) return NotPuffin("a footer of negative size");
  return static_cast<int64_t>(kFooterBytesMin + payload);
}

Result<PuffinFooter> ParsePuffinFooter(std::string_view footer, int64_t file_bytes,
                                       const PuffinLimits& limits) {
  CALVE_ASSIGN_OR_RETURN(const int64_t footer_bytes, PuffinFooterBytes(footer));
  const int64_t blobs_end = file_bytes - footer_bytes;
  if (static_cast<int64_t>(footer.size()) != footer_bytes || !footer.starts_with(kMagic) ||
      blobs_end < static_cast<int64_t>(kMagic.size())) {
    return NotPuffin("no PFA1 where its footer should begin");
  }
  const uint32_t flags = NumberAt(footer, footer.size() - kMagic.size() - kFlagsBytes);
  if ((flags & ~kFooterIsCompressed) != 0)
    return NotPuffin("flags that this version does not know");
  const std::string_view payload = footer.substr(kMagic.size(), footer.size() - kFooterBytesMin);
  const PuffinCodec codec = flags == 0 ? PuffinCodec::kNone : PuffinCodec::kLz4;
  Result<std::string> json = Decompress(codec, payload, limits.footer_bytes_max);
  if (!json.ok()) return While("read a Puffin footer", std::move(json).error());
  Result<PuffinFooter> parsed = ReadPayload(*json, blobs_end);
  if (!parsed.ok()) return While("read a Puffin footer", std::move(parsed).error());
  return parsed;
}

Result<PuffinFooter> ReadPuffinFooter(std::string_view file, const PuffinLimits& limits) {
  CALVE_ASSIGN_OR_RETURN(const int64_t footer_bytes, PuffinFooterBytes(file));
  if (!file.starts_with(kMagic)) return NotPuffin("no PFA1 at its begin");
  if (footer_bytes > static_cast<int64_t>(file.size()))
    return NotPuffin("a footer larger than the file");
  return ParsePuffinFooter(file.substr(file.size() - static_cast<size_t>(footer_bytes)),
                           static_cast<int64_t>(file.size()), limits);
}

Result<std::string> DecodePuffinBlob(const PuffinBlob& blob, std::string_view stored,
                                     const PuffinLimits& limits) {
  if (static_cast<int64_t>(stored.size()) != blob.length) {
    return BugError("expected " + std::to_string(blob.length) + " bytes of a blob, found " +
                    std::to_string(stored.size()));
  }
  Result<std::string> bytes = Decompress(blob.codec, stored, limits.blob_bytes_max);
  if (!bytes.ok())
    return While("read a Puffin blob at byte " + std::to_string(blob.offset),
                 std::move(bytes).error());
  return bytes;
}

Result<std::string> ReadPuffinBlob(std::string_view file, const PuffinBlob& blob,
                                   const PuffinLimits& limits) {
  const auto size = static_cast<int64_t>(file.size());
  if (blob.offset < 0 || blob.length < 0 || blob.offset > size ||
      blob.length > size - blob.offset) {
    return NotPuffin("the end of the file before the end of the blob at byte " +
                     std::to_string(blob.offset));
  }
  return DecodePuffinBlob(
      blob, file.substr(static_cast<size_t>(blob.offset), static_cast<size_t>(blob.length)),
      limits);
}

PuffinWriter::PuffinWriter() : file_(kMagic) {}

Result<PuffinBlob> PuffinWriter::Add(PuffinBlob blob, std::string_view bytes) {
  CALVE_ASSIGN_OR_RETURN(const std::string stored, Compress(blob.codec, bytes));
  blob.offset = static_cast<int64_t>(file_.size());
  blob.length = static_cast<int64_t>(stored.size());
  file_ += stored;
  blobs_.push_back(blob);
  return blob;
}

std::string PuffinWriter::Finish(const PuffinProperties& properties) && {
  Json json;
  json["blobs"] = Json::array();
  for (const PuffinBlob& blob : blobs_) json["blobs"].push_back(ToJson(blob));
  if (!properties.empty()) json["properties"] = ToJson(properties);
  const std::string payload = DumpJson(json);
  file_ += kMagic;
  file_ += payload;
  AppendNumber(static_cast<uint32_t>(payload.size()), &file_);
  AppendNumber(0, &file_);
  file_ += kMagic;
  return std::move(file_);
}

PuffinBlob DeletionVectorBlob(std::string_view data_file, int64_t cardinality) {
  PuffinBlob blob;
  blob.type = kDeletionVectorType;
  blob.fields = {FieldId(kPositionFieldId)};
  blob.properties = {{std::string(kReferencedDataFile), std::string(data_file)},
                     {std::string(kCardinality), std::to_string(cardinality)}};
  return blob;
}

}  // namespace calve::iceberg
