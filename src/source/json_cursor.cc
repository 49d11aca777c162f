#include "source/json_cursor.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/text.h"

namespace calve::source {
namespace {

constexpr std::string_view kOneALine = "JSON lines have one whole object a line";

/// For each byte, whether it ends a number or word.
constexpr auto kEndsScalar = [] {
  std::array<bool, 256> ends{};
  for (const char c : {' ', '\t', '\r', '\n', ',', '}', ']', ':', '"', '{', '['})
    ends[static_cast<unsigned char>(c)] = true;
  return ends;
}();

bool IsWord(std::string_view token) {
  if (token.empty() || (token[0] != 'n' && token[0] != 't' && token[0] != 'f')) return false;
  return token == "null" || token == "true" || token == "false";
}

bool IsAscii(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  uint64_t all = 0;
  for (; end - at >= 8; at += 8) {
    uint64_t word;
    std::memcpy(&word, at, 8);
    all |= word;
  }
  for (; at != end; ++at) all |= static_cast<unsigned char>(*at);
  return (all & 0x8080808080808080U) == 0;
}

/// The first quote, backslash or control character at or behind `at`, or the end.
const char* FindInString(const char* at, const char* end) {
#if defined(__SSE2__)
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  const __m128i last_control = _mm_set1_epi8(0x1F);
  for (; end - at >= 16; at += 16) {
    const __m128i chunk = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(chunk, last_control), chunk);
    const __m128i hit = _mm_or_si128(
        control, _mm_or_si128(_mm_cmpeq_epi8(chunk, quote), _mm_cmpeq_epi8(chunk, backslash)));
    const int mask = _mm_movemask_epi8(hit);
    if (mask != 0) return at + __builtin_ctz(static_cast<unsigned>(mask));
  }
#endif
  while (at != end && *at != '"' && *at != '\\' && static_cast<unsigned char>(*at) >= 0x20) ++at;
  return at;
}

void AppendUtf8(unsigned code, std::string* text) {
  if (code < 0x80) {
    *text += static_cast<char>(code);
  } else if (code < 0x800) {
    *text += static_cast<char>(0xC0 | (code >> 6));
    *text += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    *text += static_cast<char>(0xE0 | (code >> 12));
    *text += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    *text += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    *text += static_cast<char>(0xF0 | (code >> 18));
    *text += static_cast<char>(0x80 | ((code >> 12) & 0x3F));
    *text += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    *text += static_cast<char>(0x80 | (code & 0x3F));
  }
}

/// RFC 8259, section 6: -0.5e+3, without leading zeros.
bool IsNumber(std::string_view token) {
  const auto digits = [&token] {
    size_t count = 0;
    while (count < token.size() && token[count] >= '0' && token[count] <= '9') ++count;
    token.remove_prefix(count);
    return count;
  };
  if (token.starts_with('-')) token.remove_prefix(1);
  if (token.starts_with('0')) {
    token.remove_prefix(1);
  } else if (digits() == 0) {
    return false;
  }
  if (token.starts_with('.')) {
    token.remove_prefix(1);
    if (digits() == 0) return false;
  }
  if (token.starts_with('e') || token.starts_with('E')) {
    token.remove_prefix(1);
    if (token.starts_with('-') || token.starts_with('+')) token.remove_prefix(1);
    if (digits() == 0) return false;
  }
  return token.empty();
}

}  // namespace

JsonCursor::JsonCursor(std::string_view text)
    : begin_(text.data()), at_(text.data()), end_(text.data() + text.size()) {
  if (!IsAscii(text) && !IsValidUtf8(text)) fault_ = "the line is no UTF-8; save the file as UTF-8";
}

void JsonCursor::Fail(std::string what, std::string_view what_to_do) {
  if (!ok()) return;
  const auto characters = std::count_if(
      begin_, at_, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
  fault_ = fmt::format("{} (character {}); {}", what, FormatCount(characters + 1), what_to_do);
  fault_offset_ = static_cast<size_t>(at_ - begin_);
  at_ = end_;
}

void JsonCursor::Expected(std::string_view what, std::string_view what_to_do) {
  if (at_ == end_) return Fail(fmt::format("the line ends where {} is expected", what), what_to_do);
  std::string found(at_, static_cast<size_t>(std::min<ptrdiff_t>(end_ - at_, 20)));
  while (!IsValidUtf8(found)) found.pop_back();
  Fail(fmt::format("{} is expected, found {}", what, Quote(found)), what_to_do);
}

JsonKind JsonCursor::PeekAny() {
  SkipBlanks();
  if (!ok()) return JsonKind::kNone;
  if (at_ == end_) return Expected("a value", kOneALine), JsonKind::kNone;
  switch (*at_) {
    case '{':
      return JsonKind::kObject;
    case '[':
      return JsonKind::kArray;
    case '"':
      return JsonKind::kString;
    case 'n':
      return JsonKind::kNull;
    case 't':
    case 'f':
      return JsonKind::kBoolean;
    case ',':
    case '}':
    case ']':
    case ':':
      return Expected("a value", "write null where there is none"), JsonKind::kNone;
    default:
      return JsonKind::kNumber;
  }
}

std::string_view JsonCursor::TakeScalar() {
  SkipBlanks();
  const char* const start = at_;
  const char* stop = at_;
  while (stop != end_ && !kEndsScalar[static_cast<unsigned char>(*stop)]) ++stop;
  const std::string_view token(start, static_cast<size_t>(stop - start));
  if (!IsNumber(token) && !IsWord(token)) {
    std::string shown(token.substr(0, 60));
    while (!IsValidUtf8(shown)) shown.pop_back();
    Fail("'" + shown + "' is no JSON value",
         "a text stands in double quotes, a number is written as -1, 0.5 or 1e3");
    return {};
  }
  at_ = stop;
  return token;
}

std::optional<unsigned> JsonCursor::TakeHex() {
  if (end_ - at_ < 4) return std::nullopt;
  unsigned code = 0;
  for (int i = 0; i < 4; ++i) {
    const char c = at_[i];
    unsigned digit = 0;
    if (c >= '0' && c <= '9') {
      digit = static_cast<unsigned>(c - '0');
    } else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) {
      digit = static_cast<unsigned>((c | 0x20) - 'a' + 10);
    } else {
      return std::nullopt;
    }
    code = code * 16 + digit;
  }
  at_ += 4;
  return code;
}

bool JsonCursor::Unescape(std::string* text) {
  constexpr const char* kPair = "write the whole pair, or the character itself as UTF-8";
  const char* const start = at_++;
  const char letter = at_ == end_ ? '\0' : *at_++;
  constexpr std::string_view kLetters = "\"\\/bfnrt";
  const size_t known = letter == '\0' ? std::string_view::npos : kLetters.find(letter);
  if (known != std::string_view::npos) {
    *text += "\"\\/\b\f\n\r\t"[known];
    return true;
  }
  std::optional<unsigned> code = letter == 'u' ? TakeHex() : std::nullopt;
  if (!code.has_value()) {
    at_ = start;
    Expected("an escape such as \\n or \\u00e9", "write \\\\ for a backslash");
    return false;
  }
  const bool high = *code >= 0xD800 && *code < 0xDC00;
  if (high && end_ - at_ >= 6 && at_[0] == '\\' && at_[1] == 'u') {
    at_ += 2;
    const std::optional<unsigned> low = TakeHex();
    if (low.has_value() && *low >= 0xDC00 && *low < 0xE000) {
      AppendUtf8(0x10000 + ((*code - 0xD800) << 10) + (*low - 0xDC00), text);
      return true;
    }
  }
  if (*code >= 0xD800 && *code < 0xE000) {
    at_ = start;
    Fail(fmt::format("\\u{:04x} is half of a surrogate pair", *code), kPair);
    return false;
  }
  AppendUtf8(*code, text);
  return true;
}

bool JsonCursor::ReadString(std::string* scratch, std::string_view* text) {
  const char* const start = at_;
  const char* stop = FindInString(at_, end_);
  if (stop != end_ && *stop == '"') {  // Most have no escapes and stay where they are.
    *text = {start, static_cast<size_t>(stop - start)};
    at_ = stop + 1;
    return true;
  }
  scratch->assign(start, static_cast<size_t>(stop - start));
  at_ = stop;
  while (at_ != end_ && *at_ != '"') {
    if (*at_ != '\\') {
      Fail(fmt::format("a text holds the control character 0x{:02x}", static_cast<unsigned>(*at_)),
           fmt::format("write it as \\u{:04x}", static_cast<unsigned>(*at_)));
      return false;
    }
    if (!Unescape(scratch)) return false;
    stop = FindInString(at_, end_);
    scratch->append(at_, static_cast<size_t>(stop - at_));
    at_ = stop;
  }
  if (at_ == end_) return Expected("the closing \" of a text", kOneALine), false;
  ++at_;
  *text = *scratch;
  return true;
}

std::string_view JsonCursor::TakeString() {
  std::string_view text;
  if (!Take('"')) return Expected("a text", kOneALine), text;
  ReadString(&string_, &text);
  return text;
}

void JsonCursor::EnterObject() {
  if (!Take('{')) Expected("an object", kOneALine);
  fresh_ = true;
}

void JsonCursor::EnterArray() {
  if (!Take('[')) Expected("an array", kOneALine);
  fresh_ = true;
}

bool JsonCursor::NextItem(char end, const char* what) {
  if (!ok()) return false;
  const bool first = fresh_;
  fresh_ = false;
  if (Take(end)) return false;
  if (!first && !Take(',')) return Expected(what, kOneALine), false;
  return true;
}

bool JsonCursor::NextKey(std::string_view* key) {
  if (!NextItem('}', ", or }")) return false;
  if (!Take('"')) return Expected("a key in double quotes", kOneALine), false;
  if (!ReadString(&key_, key)) return false;
  if (!Take(':')) return Expected("a colon behind the key", kOneALine), false;
  return true;
}

bool JsonCursor::NextElement() { return NextItem(']', ", or ]"); }

std::string_view JsonCursor::TakeRaw() {
  SkipBlanks();
  const char* const start = at_;
  std::string open;  // The brackets around what comes next.
  std::string_view key;
  do {
    const JsonKind kind = Peek();
    if (kind == JsonKind::kNone) return {};
    if (kind == JsonKind::kObject) {
      EnterObject();
      open += '{';
    } else if (kind == JsonKind::kArray) {
      EnterArray();
      open += '[';
    } else if (kind == JsonKind::kString) {
      TakeString();
    } else {
      TakeScalar();
    }
    while (!open.empty() && !(open.back() == '{' ? NextKey(&key) : NextElement())) open.pop_back();
  } while (ok() && !open.empty());
  if (!ok()) return {};
  return {start, static_cast<size_t>(at_ - start)};
}

void JsonCursor::Finish() {
  SkipBlanks();
  if (ok() && at_ != end_) Expected("the end of the line", kOneALine);
}

}  // namespace calve::source
