#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "avro/file_reader.h"
#include "avro/projection.h"
#include "avro/resolve.h"
#include "avro/value.h"

using calve::Result;
using namespace calve::avro;  // NOLINT(google-build-using-namespace)

namespace {

void Require(bool promise) {
  if (!promise) std::abort();
}

/// What is read is written as something that reads the same, and skipping ends where reading ends.
void FuzzValues(const Schema& schema, std::string_view bytes) {
  Decoder decoder(bytes);
  const Result<Value> value = ReadValue(schema.root(), decoder);
  if (!value.ok()) return;
  Decoder skipper(bytes);
  Skip(schema.root(), skipper);
  Require(skipper.ok() && skipper.offset() == decoder.offset());

  std::string written;
  Encoder encoder(&written);
  Require(WriteValue(schema.root(), *value, encoder).ok());
  Decoder again(written);
  const Result<Value> read = ReadValue(schema.root(), again);
  Require(read.ok() && again.at_end());
  // NaN equals nothing, so that bytes are compared.
  std::string rewritten;
  Encoder second(&rewritten);
  Require(WriteValue(schema.root(), *read, second).ok() && written == rewritten);
}

void FuzzProjection(const Schema& schema, std::string_view bytes) {
  constexpr Want kWants[] = {{1, 1, "a"}, {2, 2, "b"}, {100, 3, "c"}};
  const Projection projection = Projection::Of(&schema.root(), kWants);
  Decoder decoder(bytes);
  projection.Read(decoder, [](const Projection::Item& item, Decoder& d) { Skip(*item.type, d); });
  if (schema.root().kind != Kind::kRecord) return;
  Decoder skipper(bytes);
  Skip(schema.root(), skipper);
  // What is skipped in runs is checked less: an enum's symbol, a boolean.
  if (skipper.ok()) Require(decoder.ok() && decoder.offset() == skipper.offset());
}

void FuzzFile(std::string_view file) {
  Result<FileReader> reader =
      FileReader::Open(file, {.header_bytes_max = 1 << 16, .block_bytes_max = 1 << 16});
  if (!reader.ok()) return;
  while (true) {
    const Result<std::optional<Block>> block = reader->Next();
    if (!block.ok() || !*block) return;
    Decoder decoder((*block)->bytes);
    for (int64_t i = 0; i < (*block)->record_count; ++i) {
      if (!ReadValue(reader->schema().root(), decoder).ok()) return;
    }
  }
}

void FuzzResolver(const Schema& writer, const Schema& reader, std::string_view bytes) {
  for (MatchFields match : {MatchFields::kByName, MatchFields::kByFieldId}) {
    const Result<Resolver> resolver = Resolver::Compile(writer.root(), reader.root(), match);
    if (!resolver.ok()) continue;
    Decoder decoder(bytes);
    const Result<Value> value = resolver->Read(decoder);
    if (!value.ok()) continue;
    std::string written;
    Encoder encoder(&written);
    Require(WriteValue(reader.root(), *value, encoder).ok());
  }
}

}  // namespace

/// The first byte chooses; then a file, or schemas and data with a zero byte between them.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const int choice = data[0] % 4;
  rest.remove_prefix(1);
  if (choice == 0) {
    FuzzFile(rest);
    return 0;
  }
  const auto next_part = [&] {
    const std::string_view part = rest.substr(0, rest.find('\0'));
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
    return part;
  };
  const Result<Schema> schema = Schema::Parse(next_part());
  if (!schema.ok()) return 0;
  const Result<Schema> again = Schema::Parse(schema->ToJson());
  Require(again.ok() && again->ToJson() == schema->ToJson());
  if (choice == 1) FuzzValues(*schema, rest);
  if (choice == 2) FuzzProjection(*schema, rest);
  if (choice == 3) {
    const Result<Schema> reader = Schema::Parse(next_part());
    if (reader.ok()) FuzzResolver(*schema, *reader, rest);
  }
  return 0;
}
