#include "columnar/variant_encode.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/text.h"
#include "columnar/variant.h"
#include "columnar/variant_build.h"
#include "columnar/variant_json.h"
#include "iceberg/decimal.h"

namespace calve::columnar {
namespace {

using Json = nlohmann::json;

static_assert(std::endian::native == std::endian::little, "variants are written as they lie");

constexpr int kDigitsMax = 38;

template <typename T>
std::string_view BytesOf(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

std::string Shown(std::string_view text) {
  constexpr size_t kShownMax = 60;
  return text.size() <= kShownMax ? std::string(text)
                                  : std::string(text.substr(0, kShownMax)) + "...";
}

void AppendInteger(int64_t value, std::string& out) {
  if (value == static_cast<int8_t>(value)) {
    AppendVariant(VariantPrimitive::kInt8, BytesOf(static_cast<int8_t>(value)), out);
  } else if (value == static_cast<int16_t>(value)) {
    AppendVariant(VariantPrimitive::kInt16, BytesOf(static_cast<int16_t>(value)), out);
  } else if (value == static_cast<int32_t>(value)) {
    AppendVariant(VariantPrimitive::kInt32, BytesOf(static_cast<int32_t>(value)), out);
  } else {
    AppendVariant(VariantPrimitive::kInt64, BytesOf(value), out);
  }
}

/// `digits` are those of the value or its scale, whichever are more: a type holds both.
void AppendDecimal(iceberg::Int128 unscaled, int scale, int digits, std::string& out) {
  std::string content(1, static_cast<char>(scale));
  if (digits <= 9) {
    content += BytesOf(static_cast<int32_t>(unscaled));
    AppendVariant(VariantPrimitive::kDecimal4, content, out);
  } else if (digits <= 18) {
    content += BytesOf(static_cast<int64_t>(unscaled));
    AppendVariant(VariantPrimitive::kDecimal8, content, out);
  } else {
    content += BytesOf(unscaled);
    AppendVariant(VariantPrimitive::kDecimal16, content, out);
  }
}

/// An object or array whose end has not come.
struct Open {
  bool is_object = false;
  std::vector<VariantField> fields;
  std::vector<std::string> items;
};

/// Takes the parts of a JSON text as they come, and notes the first fault.
class Reader : public nlohmann::json_sax<Json> {
 public:
  explicit Reader(size_t bytes_max) : bytes_max_(bytes_max) {}

  void Start() {
    ids_.clear();
    names_.clear();
    open_.clear();
    value_.clear();
    fault_.clear();
  }
  const std::string& fault() const { return fault_; }
  const std::string& value() const { return value_; }
  Status EncodeNames(std::string& out) const;

  bool null() override {
    return Put([](std::string& out) { AppendVariant(VariantPrimitive::kNull, {}, out); });
  }
  bool boolean(bool value) override {
    return Put([&](std::string& out) {
      AppendVariant(value ? VariantPrimitive::kTrue : VariantPrimitive::kFalse, {}, out);
    });
  }
  bool number_integer(int64_t value) override {
    return Put([&](std::string& out) { AppendInteger(value, out); });
  }
  bool number_unsigned(uint64_t value) override {
    if (value <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
      return number_integer(static_cast<int64_t>(value));
    return Number(std::to_string(value));
  }
  bool number_float(double value, const std::string& text) override {
    if (text.find_first_of("eE") == std::string::npos) return Number(text);
    return Put(
        [&](std::string& out) { AppendVariant(VariantPrimitive::kDouble, BytesOf(value), out); });
  }
  bool string(std::string& text) override {
    return Put([&](std::string& out) { AppendVariantString(text, out); });
  }
  bool binary(Json::binary_t&) override { return Fail("bytes, which JSON does not have"); }

  bool start_object(size_t) override { return Begin(true); }
  bool start_array(size_t) override { return Begin(false); }
  bool key(std::string& name) override {
    const auto [at, added] = ids_.try_emplace(name, static_cast<uint32_t>(names_.size()));
    if (added) names_.push_back(at->first);
    open_.back().fields.push_back({.name = at->first, .id = at->second, .value = {}});
    return true;
  }
  bool end_object() override { return End(); }
  bool end_array() override { return End(); }

  bool parse_error(size_t position, const std::string&, const Json::exception& error) override {
    if (!fault_.empty()) return false;
    constexpr int kNumberTooLarge = 406;
    if (error.id == kNumberTooLarge)
      return Fail("a number beyond the largest double; write it as text");
    return Fail(
        fmt::format("no JSON from byte {} on; texts stand in double quotes there", position));
  }

 private:
  bool Fail(std::string fault) {
    if (fault_.empty()) fault_ = std::move(fault);
    return false;
  }
  bool Fail(const Status& status) { return Fail(status.error().message); }

  /// Append a value where it belongs: to the innermost object or array, or alone.
  template <typename Append>
  bool Put(Append append) {
    if (open_.empty()) {
      append(value_);
    } else if (open_.back().is_object) {
      append(open_.back().fields.back().value);
    } else {
      append(open_.back().items.emplace_back());
    }
    return true;
  }

  /// A number without exponent that is no 64-bit integer: a decimal as it is written.
  bool Number(const std::string& text) {
    const size_t point = std::min(text.find('.'), text.size());
    const size_t scale = point == text.size() ? 0 : text.size() - point - 1;
    const auto value = scale <= kDigitsMax
                           ? iceberg::ParseDecimal(text, kDigitsMax, static_cast<int>(scale))
                           : Result<iceberg::Decimal>(DataError(""));
    if (!value.ok()) {
      return Fail("the number " + Shown(text) +
                  " has more than 38 digits; write it as text, or with an exponent if the nearest "
                  "double will do");
    }
    const size_t first = std::min(text.find_first_of("123456789"), text.size());
    size_t digits = text.size() - first;
    if (first < point && point < text.size()) --digits;
    digits = std::max(digits, scale);
    return Put([&](std::string& out) {
      AppendDecimal(value->unscaled, static_cast<int>(scale), static_cast<int>(digits), out);
    });
  }

  bool Begin(bool is_object) {
    if (open_.size() == static_cast<size_t>(kVariantDepthMax))
      return Fail(fmt::format("more than {} objects and arrays in each other", kVariantDepthMax));
    open_.push_back({.is_object = is_object, .fields = {}, .items = {}});
    return true;
  }

  bool End() {
    Open ended = std::move(open_.back());
    open_.pop_back();
    std::string encoded;
    const Status status = ended.is_object ? AppendVariantObject(std::move(ended.fields), encoded)
                                          : AppendVariantArray(ended.items, encoded);
    if (!status.ok()) return Fail(status);
    if (encoded.size() > bytes_max_)
      return Fail(fmt::format("a value of {} bytes as a variant, of {} at most", encoded.size(),
                              bytes_max_));
    return Put([&](std::string& out) { out = std::move(encoded); });
  }

  const size_t bytes_max_;
  std::unordered_map<std::string, uint32_t> ids_;
  std::vector<std::string_view> names_;  ///< By id; the keys of `ids_`.
  std::vector<Open> open_;
  std::string value_;
  std::string fault_;
};

Status Reader::EncodeNames(std::string& out) const {
  if (!AppendVariantNames(names_, out).ok() || out.size() > bytes_max_)
    return DataError(fmt::format("names of more than {} bytes", bytes_max_));
  return Status::Ok();
}

}  // namespace

struct VariantEncoder::State {
  explicit State(size_t bytes_max) : bytes_max(bytes_max), reader(bytes_max) {}
  const size_t bytes_max;
  Reader reader;
  std::string metadata;
};

VariantEncoder::VariantEncoder(size_t bytes_max) : state_(std::make_unique<State>(bytes_max)) {}
VariantEncoder::~VariantEncoder() = default;

Status VariantEncoder::Encode(std::string_view json) {
  Reader& reader = state_->reader;
  reader.Start();
  state_->metadata.clear();
  Json::sax_parse(json.begin(), json.end(), &reader);
  if (!reader.fault().empty()) return DataError(reader.fault());
  if (reader.value().size() > state_->bytes_max) {
    return DataError(fmt::format("a value of {} bytes as a variant, of {} at most",
                                 reader.value().size(), state_->bytes_max));
  }
  return reader.EncodeNames(state_->metadata);
}

std::string_view VariantEncoder::metadata() const { return state_->metadata; }
std::string_view VariantEncoder::value() const { return state_->reader.value(); }

}  // namespace calve::columnar
