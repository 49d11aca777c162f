#include "iceberg/avro_fields.h"

#include <fmt/format.h>

namespace calve::iceberg {
namespace {

bool Fits(Shape shape, avro::Kind kind) {
  switch (shape) {
    case Shape::kInteger:
      return kind == avro::Kind::kInt || kind == avro::Kind::kLong;
    case Shape::kText:
    case Shape::kBytes:
      return kind == avro::Kind::kString || kind == avro::Kind::kBytes;
    case Shape::kBool:
      return kind == avro::Kind::kBoolean;
    case Shape::kArray:
      return kind == avro::Kind::kArray;
    case Shape::kRecord:
      return kind == avro::Kind::kRecord;
  }
  return false;
}

std::string_view Expected(Shape shape) {
  switch (shape) {
    case Shape::kInteger:
      return "int or long";
    case Shape::kText:
      return "string";
    case Shape::kBytes:
      return "bytes";
    case Shape::kBool:
      return "boolean";
    case Shape::kArray:
      return "array";
    case Shape::kRecord:
      return "record";
  }
  return "";
}

}  // namespace

Status CheckFields(const avro::Projection& projection, std::span<const SpecField> fields) {
  for (const SpecField& field : fields) {
    const avro::Node* type = projection.TypeOf(field.slot);
    if (type == nullptr) {
      if (!field.required) continue;
      return DataError(fmt::format("expected the field {} with id {}, found none in its schema",
                                   field.name, field.id));
    }
    // A column that was always null may have the type null.
    if (type->kind == avro::Kind::kNull && !field.required) continue;
    if (!Fits(field.shape, type->kind)) {
      return DataError(fmt::format("expected the field {} with id {} to be {}, found {}",
                                   field.name, field.id, Expected(field.shape),
                                   avro::ToString(type->kind)));
    }
  }
  return Status::Ok();
}

}  // namespace calve::iceberg
