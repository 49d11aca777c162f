#include "source/json/json_records.h"

#include <algorithm>

#include "base/text.h"

namespace calve::source {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";
constexpr size_t kMore = std::string_view::npos;  ///< What is looked for may be in text to come.

size_t SkipBlanks(std::string_view text, size_t at) {
  return std::min(text.find_first_not_of(kBlanks, at), text.size());
}

/// From an opening quote to behind the closing one.
size_t SkipString(std::string_view text, size_t at) {
  for (++at; at < text.size(); ++at) {
    at = text.find_first_of("\"\\", at);
    if (at == kMore || text[at] == '"') break;
    ++at;
  }
  return at >= text.size() ? kMore : at + 1;
}

/// The first of `ends` that is in no text and no brackets.
size_t FindOutside(std::string_view text, size_t at, std::string_view ends) {
  int depth = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (depth == 0 && ends.find(c) != std::string_view::npos) return at;
    if (c == '"') {
      at = SkipString(text, at);
      continue;
    }
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    ++at;
  }
  return kMore;
}

}  // namespace

Result<RowEnds::Cut> JsonRowEnds::Find(std::string_view text, bool at_end) {
  size_t begin = 0;
  if (place_ == Place::kStart) {
    const size_t first = SkipBlanks(text, 0);
    if (first == text.size()) return Cut{};
    if (!path_.empty()) {
      CALVE_ASSIGN_OR_RETURN(begin, FindArray(text, at_end));
      if (begin == 0) return Cut{};
    } else if (text[first] == '[') {
      begin = first + 1;
    }
    place_ = begin > 0 ? Place::kArray : Place::kLines;
  }
  if (place_ == Place::kLines) return FindLines(text, at_end);
  if (place_ == Place::kArray) return FindElements(text, begin, at_end);
  if (path_.empty() && SkipBlanks(text, 0) < text.size())
    return DataError("text follows the end of the array; expected one array, or one object a line");
  return Cut{.begin = text.size(), .end = text.size()};
}

Result<RowEnds::Cut> JsonRowEnds::FindLines(std::string_view text, bool at_end) const {
  const size_t end = at_end ? text.size() : text.rfind('\n') + 1;  // npos + 1 is 0.
  return Cut{.end = end, .lines = CountLines(text.substr(0, end))};
}

Result<RowEnds::Cut> JsonRowEnds::FindElements(std::string_view text, size_t begin, bool at_end) {
  size_t end = begin;
  while (place_ == Place::kArray) {
    const size_t found = FindOutside(text, end, ",]");
    if (found == kMore) break;
    end = found + 1;
    if (text[found] == ']') place_ = Place::kBehind;
  }
  if (at_end && place_ == Place::kArray)
    return DataError("the file ends within its array; it was cut off, or a bracket is missing");
  return Cut{.begin = begin,
             .end = end,
             .lines_before = CountLines(text.substr(0, begin)),
             .lines = CountLines(text.substr(0, end))};
}

Result<size_t> JsonRowEnds::FindArray(std::string_view text, bool at_end) const {
  const auto fail = [&](const std::string& what) {
    return DataError("records_path " + Join(path_, ".") + " leads to no array: " + what +
                     "; give the keys that lead to one");
  };
  const auto more = [&]() -> Result<size_t> {
    if (at_end) return fail("the file ends before it");
    return size_t{0};
  };
  size_t at = SkipBlanks(text, 0);
  for (const std::string& key : path_) {
    if (at == text.size()) return more();
    if (text[at] != '{') return fail("expected an object that has '" + key + "'");
    std::vector<std::string> keys;
    while (true) {
      at = SkipBlanks(text, at + 1);
      if (at == text.size()) return more();
      if (text[at] != '"')
        return fail("found no '" + key + "', only " + Join(keys, ", ") + DidYouMean(key, keys));
      const size_t name = at + 1;
      at = SkipString(text, at);
      if (at == kMore) return more();
      keys.emplace_back(text.substr(name, at - 1 - name));
      at = SkipBlanks(text, at);
      if (at == text.size()) return more();
      if (text[at] != ':') return fail("expected : behind the key " + keys.back());
      at = SkipBlanks(text, at + 1);
      if (at == text.size()) return more();
      if (keys.back() == key) break;
      at = FindOutside(text, at, ",}");
      if (at == kMore) return more();
      if (text[at] == '}') --at;  // The next turn finds it where a key would be.
    }
  }
  if (text[at] != '[') return fail("expected [ there");
  return at + 1;
}

void JsonRecords::Start(const TextBlock& block, bool is_array) {
  text_ = block.text();
  is_array_ = is_array;
  at_ = 0;
  next_line_ = block.first_line();
}

bool JsonRecords::Next(std::string_view* record) {
  while (at_ < text_.size()) {
    const size_t found = is_array_ ? FindOutside(text_, at_, ",]") : text_.find('\n', at_);
    const size_t end = std::min(found, text_.size());
    const size_t begin = std::min(SkipBlanks(text_, at_), end);
    line_ = next_line_ + (is_array_ ? CountLines(text_.substr(at_, begin - at_)) : 0);
    *record = Trim(text_.substr(begin, end - begin));
    next_line_ += is_array_ ? CountLines(text_.substr(at_, end - at_)) : 1;
    at_ = std::min(end + 1, text_.size());
    const bool is_last = is_array_ && end < text_.size() && text_[end] == ']';
    if (!record->empty() || (is_array_ && !is_last)) return true;
  }
  return false;
}

}  // namespace calve::source
