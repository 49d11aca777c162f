#include "source/sqlite/declared_type.h"

#include <arrow/extension/uuid.h>

#include <optional>
#include <vector>

#include "base/text.h"

namespace calve::source::sqlite {
namespace {

/// The numbers of "decimal(12, 2)".
std::vector<int64_t> Arguments(const std::string& declared) {
  const size_t open = declared.find('(');
  const size_t close = declared.find(')', open == std::string::npos ? 0 : open);
  if (open == std::string::npos || close == std::string::npos) return {};
  std::vector<int64_t> numbers;
  for (const std::string& part : Split(declared.substr(open + 1, close - open - 1), ',')) {
    const auto number = ParseInteger(Trim(part));
    if (!number.has_value()) return {};
    numbers.push_back(*number);
  }
  return numbers;
}

std::shared_ptr<arrow::DataType> DecimalOf(const std::string& declared) {
  const std::vector<int64_t> size = Arguments(declared);
  const int64_t scale = size.size() == 2 ? size[1] : 0;
  if (size.empty() || size.size() > 2 || size[0] < 1 || size[0] > 38 || scale < 0 ||
      scale > size[0])
    return nullptr;
  return arrow::decimal128(static_cast<int32_t>(size[0]), static_cast<int32_t>(scale));
}

}  // namespace

std::shared_ptr<arrow::DataType> TypeOfDeclaration(const std::string& declared) {
  const std::string type = ToLower(declared);
  const auto has = [&](std::string_view part) { return type.find(part) != std::string::npos; };
  const std::string word(Trim(std::string_view(type).substr(0, type.find('('))));
  if (word.starts_with("timestamp") || word == "datetime" || word == "datetime2") {
    const bool zoned = has("tz") || has("with time zone") || has("with timezone");
    return zoned && !has("without") ? arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")
                                    : arrow::timestamp(arrow::TimeUnit::MICRO);
  }
  if (word == "date") return arrow::date32();
  if (word == "time") return arrow::time64(arrow::TimeUnit::MICRO);
  if (has("bool")) return arrow::boolean();
  if (word == "uuid" || word == "guid" || word == "uniqueidentifier")
    return arrow::extension::uuid();
  if (word == "decimal" || word == "numeric" || word == "dec") return DecimalOf(type);
  // What is left goes by SQLite's own rules (its manual, Determination Of Column Affinity).
  if (has("int")) return arrow::int64();
  if (has("char") || has("clob") || has("text") || has("json") || word == "string")
    return arrow::utf8();
  if (has("blob") || word == "binary" || word == "varbinary") return arrow::binary();
  if (has("real") || has("floa") || has("doub")) return arrow::float64();
  return nullptr;
}

}  // namespace calve::source::sqlite
