#include "iceberg/manifest.h"

namespace calve::iceberg {

std::string_view ToString(FileFormat format) {
  switch (format) {
    case FileFormat::kParquet:
      return "parquet";
    case FileFormat::kAvro:
      return "avro";
    case FileFormat::kOrc:
      return "orc";
    case FileFormat::kPuffin:
      return "puffin";
  }
  return "";
}

}  // namespace calve::iceberg
