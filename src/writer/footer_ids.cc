#include "writer/footer_ids.h"

#include "base/text.h"
#include "writer/thrift_cursor.h"

namespace calve::writer {
namespace {

/// Of FileMetaData (Parquet format, parquet.thrift).
constexpr int16_t kSchema = 2;
constexpr int16_t kKeyValueMetadata = 5;
/// Of SchemaElement.
constexpr int16_t kName = 4;
constexpr int16_t kChildren = 5;
constexpr int16_t kFieldId = 9;

Error Broken() {
  return DataError(
      "the file's footer is not as Parquet's format describes it; write the file again");
}

/// The name of a column and whether it has columns below it.
struct ElementFacts {
  std::string name;
  bool is_group = false;
};

Result<ElementFacts> FactsOf(std::string_view element) {
  ThriftCursor cursor(element);
  ElementFacts facts;
  int16_t last = 0;
  while (const auto field = cursor.NextField(last)) {
    last = field->id;
    if (field->id == kName && field->type == ThriftType::kBinary)
      facts.name = ThriftCursor(field->value).ReadBinary();
    facts.is_group |= field->id == kChildren;
  }
  if (!cursor.ok()) return Broken();
  return facts;
}

/// A SchemaElement with another field id.
std::string WithId(std::string_view element, iceberg::FieldId id) {
  ThriftCursor cursor(element);
  ThriftStruct out;
  bool is_set = false;
  int16_t last = 0;
  while (const auto field = cursor.NextField(last)) {
    last = field->id;
    if (!is_set && field->id >= kFieldId) {
      out.AddI32(kFieldId, id.value());
      is_set = true;
    }
    if (field->id != kFieldId) out.Add(*field);
  }
  if (!is_set) out.AddI32(kFieldId, id.value());
  return out.Finish();
}

/// The list of SchemaElements: the root first, then the columns.
Result<std::string> SchemaWithIds(std::string_view schema, const FieldIds& ids) {
  ThriftCursor cursor(schema);
  const ThriftCursor::ListHeader header = cursor.ReadListHeader();
  if (!cursor.ok() || header.element != ThriftType::kStruct || header.size != ids.size() + 1)
    return Broken();
  std::string out = EncodeListHeader(header);
  out += cursor.PassElement(header.element);
  for (uint64_t i = 1; i < header.size; ++i) {
    const std::string_view element = cursor.PassElement(header.element);
    if (!cursor.ok()) return Broken();
    CALVE_ASSIGN_OR_RETURN(const ElementFacts facts, FactsOf(element));
    const auto id = ids.find(facts.name);
    if (facts.is_group || id == ids.end())
      return DataError("column " + Quote(facts.name) + " of the file has no place in the table");
    out += WithId(element, id->second);
  }
  return out;
}

}  // namespace

Result<std::string> WithFieldIds(std::string_view footer, const FieldIds& ids) {
  ThriftCursor cursor(footer);
  ThriftStruct out;
  bool has_schema = false;
  int16_t last = 0;
  while (auto field = cursor.NextField(last)) {
    last = field->id;
    if (field->id == kKeyValueMetadata) continue;
    std::string schema;
    if (field->id == kSchema) {
      if (field->type != ThriftType::kList || has_schema) return Broken();
      CALVE_ASSIGN_OR_RETURN(schema, SchemaWithIds(field->value, ids));
      field->value = schema;
      has_schema = true;
    }
    out.Add(*field);
  }
  if (!cursor.ok() || !has_schema) return Broken();
  return out.Finish();
}

}  // namespace calve::writer
