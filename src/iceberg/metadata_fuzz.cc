#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "iceberg/metadata.h"
#include "iceberg/name_mapping.h"
#include "iceberg/update.h"

namespace {

using namespace calve;           // NOLINT(google-build-using-namespace)
using namespace calve::iceberg;  // NOLINT(google-build-using-namespace)

void Require(bool holds) {
  if (!holds) std::abort();
}

/// What is read can be written, and reads as the same again.
void CheckMetadataText(std::string_view text) {
  const Result<TableMetadata> metadata = ParseTableMetadata(text);
  if (!metadata.ok()) return;
  const std::string written = SerializeTableMetadata(*metadata);
  const Result<TableMetadata> again = ParseTableMetadata(written);
  Require(again.ok());
  Require(SerializeTableMetadata(*again) == written);
}

/// An update that is read applies or says why not, and what it makes can be read.
void CheckUpdateText(std::string_view text) {
  const Result<UpdatePtr> update = ParseUpdate(text);
  if (!update.ok()) return;
  Require(ParseUpdate((*update)->ToJson()).ok());
  const CreateTableOptions options{
      .location = "x",
      .uuid = "u",
      .fields = {{.id = FieldId(1), .name = "a", .type = Type::Long()}},
      .properties = {{"format-version", "3"}}};
  const Result<TableMetadata> base = Apply(nullptr, CreateTable(options).value(), {});
  const Result<TableMetadata> applied =
      Apply(&base.value(), {.requirements = {}, .updates = {*update}}, {.now_ms = 1});
  if (applied.ok()) Require(ParseTableMetadata(SerializeTableMetadata(*applied)).ok());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  CheckMetadataText(text);
  CheckUpdateText(text);
  (void)NameMapping::Parse(text).ok();
  (void)ParseRequirement(text).ok();
  (void)DecompressMetadata(text).ok();
  return 0;
}
