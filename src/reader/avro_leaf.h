#pragma once

#include <arrow/builder.h>

#include <string>

#include "avro/decoder.h"
#include "avro/schema.h"
#include "base/result.h"
#include "iceberg/type.h"

namespace calve::reader {

/// Fail with kData when values of an Avro type cannot be read as a primitive, naming the column.
Status CheckAvroLeaf(const avro::Node& node, const iceberg::Type& type, const std::string& path);

/// Read one value that CheckAvroLeaf passed into a builder of the primitive's exact Arrow type.
Status AppendAvroLeaf(const avro::Node& node, const iceberg::Type& type, const std::string& path,
                      avro::Decoder& decoder, arrow::ArrayBuilder& builder);

}  // namespace calve::reader
