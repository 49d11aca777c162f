#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace calve::source {

enum class JsonKind { kNull, kBoolean, kNumber, kString, kObject, kArray, kNone };

/// Reads one JSON text from left to right, exactly as RFC 8259 has it.
///
/// The first fault sticks: from then on everything gives nothing, so that loops end, and fault()
/// says what and where. So a caller reads a whole text and looks once. For one thread.
///
///     cursor.EnterObject();
///     while (cursor.NextKey(&key)) ... exactly one of TakeScalar, TakeString, TakeRaw, Enter...
class JsonCursor {
 public:
  /// `text` stays where it is. What is no UTF-8 is a fault.
  explicit JsonCursor(std::string_view text);

  bool ok() const { return fault_.empty(); }
  /// "expected , or } behind a value (character 12), found 'x'; what to do", or "".
  const std::string& fault() const { return fault_; }
  /// How many bytes stand before what the fault is about; as many as there are when the text ended.
  size_t fault_offset() const { return fault_offset_; }

  /// The kind of the value that follows; kNone when none does.
  JsonKind Peek() {
    if (at_ != end_) {  // Most values are numbers and texts right behind their colon.
      if (*at_ == '"') return JsonKind::kString;
      if (*at_ >= '0' && *at_ <= '9') return JsonKind::kNumber;
    }
    return PeekAny();
  }
  /// A number without an exponent.
  struct PlainNumber {
    std::string_view text;
    int64_t unscaled = 0;  ///< Its digits as one number.
    int scale = 0;         ///< How many of them stand behind the point.
  };
  static constexpr int kPlainDigitsMax = 18;
  /// Take a number if it is plain and stands right here, with at most kPlainDigitsMax digits, of
  /// which at most `scale_max` are behind the point; else stay.
  bool TakePlain(int scale_max, PlainNumber* number) {
    const char* at = at_;
    const bool negative = at != end_ && *at == '-';
    if (negative) ++at;
    const char* const first = at;
    uint64_t digits = 0;
    const auto take = [&] {
      for (; at != end_ && *at >= '0' && *at <= '9'; ++at)
        digits = digits * 10 + static_cast<uint64_t>(*at - '0');
    };
    take();
    auto count = at - first;
    if (count == 0 || (count > 1 && *first == '0')) return false;
    number->scale = 0;
    if (at != end_ && *at == '.') {
      const char* const fraction = ++at;
      take();
      number->scale = static_cast<int>(std::min<ptrdiff_t>(at - fraction, kPlainDigitsMax + 1));
      count += at - fraction;
      if (number->scale == 0 || number->scale > scale_max) return false;
    }
    if (count > kPlainDigitsMax || at == end_ || (*at != ',' && *at != '}')) return false;
    number->unscaled = negative ? -static_cast<int64_t>(digits) : static_cast<int64_t>(digits);
    number->text = {at_, static_cast<size_t>(at - at_)};
    at_ = at;
    return true;
  }
  /// Take null, true, false or a number, as it stands.
  std::string_view TakeScalar();
  /// Take a text with its escapes resolved; good until the next call of any.
  std::string_view TakeString();
  /// Take a value of any kind, as it stands.
  std::string_view TakeRaw();
  void EnterObject();
  /// Go to the next value of the object; false at its end. The key is good until the next call.
  bool NextKey(std::string_view* key);
  /// Go to the next value of the object if its key is written just so: in quotes, with a colon
  /// behind; else stay.
  bool TryKey(std::string_view quoted) {
    const char* at = at_;
    if (!fresh_) {
      if (at == end_ || *at != ',') return false;
      ++at;
    }
    if (at != end_ && *at == ' ') ++at;
    if (static_cast<size_t>(end_ - at) < quoted.size() || !StartsWith(at, quoted)) return false;
    at_ = at + quoted.size();
    if (at_ != end_ && *at_ == ' ') ++at_;
    fresh_ = false;
    return true;
  }
  void EnterArray();
  /// Go to the next value of the array; false at its end.
  bool NextElement();
  /// See that only blanks are left.
  void Finish();

 private:
  JsonKind PeekAny();
  /// Faster than memcmp for the few bytes of a key.
  static bool StartsWith(const char* at, std::string_view wanted) {
    const size_t size = wanted.size();
    if (size < 8 || size > 24) return std::memcmp(at, wanted.data(), size) == 0;
    const auto differ = [&](size_t offset) {
      uint64_t found;
      uint64_t expected;
      std::memcpy(&found, at + offset, 8);
      std::memcpy(&expected, wanted.data() + offset, 8);
      return found ^ expected;
    };
    return (differ(0) | differ(size - 8) | differ((size - 8) / 2)) == 0;
  }
  static bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
  void SkipBlanks() {
    while (at_ != end_ && IsBlank(*at_)) ++at_;
  }
  /// Take `wanted` if it follows.
  bool Take(char wanted) {
    SkipBlanks();
    if (at_ == end_ || *at_ != wanted) return false;
    ++at_;
    return true;
  }
  /// From behind the opening quote to behind the closing one.
  bool ReadString(std::string* scratch, std::string_view* text);
  bool Unescape(std::string* text);
  std::optional<unsigned> TakeHex();
  bool NextItem(char end, const char* what);
  void Fail(std::string what, std::string_view what_to_do);
  /// As Fail, with what was found in place of what was expected.
  void Expected(std::string_view what, std::string_view what_to_do);

  const char* const begin_;
  const char* at_;
  const char* const end_;
  bool fresh_ = false;  ///< An object or array was just entered: no comma comes first.
  std::string key_;
  std::string string_;
  std::string fault_;
  size_t fault_offset_ = 0;
};

}  // namespace calve::source
