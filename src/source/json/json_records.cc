#include "source/json/json_records.h"

#include <algorithm>

#include "base/text.h"
#include "source/json_cursor.h"

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

constexpr int kListDepthMax = 4;

/// The paths of keys that lead to arrays of objects, as far as the text goes.
void FindLists(JsonCursor& cursor, const std::string& above, int depth,
               std::vector<std::string>* lists) {
  std::string_view key;
  cursor.EnterObject();
  while (cursor.NextKey(&key)) {
    const std::string path = above + std::string(key);
    const JsonKind kind = cursor.Peek();
    if (kind == JsonKind::kObject && depth < kListDepthMax) {
      FindLists(cursor, path + ".", depth + 1, lists);
    } else if (kind == JsonKind::kArray) {
      bool has_objects = false;
      cursor.EnterArray();
      while (cursor.NextElement()) {
        has_objects = has_objects || cursor.Peek() == JsonKind::kObject;
        cursor.TakeRaw();
      }
      if (has_objects) lists->push_back(path);
    } else {
      cursor.TakeRaw();
    }
  }
}

/// Whether a line ends within a value.
bool IsOpen(std::string_view line) {
  JsonCursor cursor(line);
  cursor.TakeRaw();
  return !cursor.ok() && cursor.fault_offset() >= line.size();
}

/// What to say of a value at the start of `text`, which goes on behind its line.
std::string SpanFault(std::string_view text, int64_t line) {
  JsonCursor whole(text);
  const std::string_view value = whole.TakeRaw();
  std::vector<std::string> lists;
  if (text.front() == '{') {
    JsonCursor cursor(text);
    FindLists(cursor, "", 1, &lists);
  }
  return "the value that begins here " +
         (whole.ok() ? "ends in line " + FormatCount(line + CountLines(value))
                     : std::string("goes on over many lines")) +
         "; JSON lines have one whole object a line: " +
         (lists.empty()
              ? "write each object in one line, as jq -c does, or set records_path to "
                "where in the file the array of records is"
              : "set records_path to where the array of records is (" + Join(lists, " or ") +
                    "), or write each object in one line, as jq -c does");
}

}  // namespace

Result<RowEnds::Cut> JsonRowEnds::Find(std::string_view text, bool at_end) {
  size_t begin = 0;
  if (place_ == Place::kStart) {
    const size_t first = SkipBlanks(text, 0);
    if (first == text.size()) return Cut{.begin = first, .end = at_end ? first : 0};
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
  const auto cut_at = [&](size_t end) {
    return Cut{.end = end, .lines = CountLines(text.substr(0, end))};
  };
  if (at_end) return cut_at(text.size());
  // JsonRecords sees that a line goes on only where the next one is in the same block, so none that
  // may go on is the last of a block. Behind a } it does so with a line that is no row by itself.
  // Where no line ends so, the last one that holds a whole value, or none, will do.
  const size_t whole = text.rfind('\n') + 1;  // npos + 1 is 0.
  size_t otherwise = text.find_first_not_of(kBlanks) < whole ? 0 : whole;
  for (size_t begin = whole; begin > 0;) {
    const size_t last = text.find_last_not_of(kBlanks, begin - 1);
    if (last == kMore) break;
    begin = text.rfind('\n', last) + 1;
    const size_t end = text.find('\n', last) + 1;
    if (text[last] == '}') return cut_at(end);
    if (otherwise == 0 && !IsOpen(text.substr(begin, last + 1 - begin))) otherwise = end;
  }
  return cut_at(otherwise);
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

std::string JsonRecords::PieceFault(std::string_view record) const {
  if (is_array_ || record.empty()) return {};
  if (std::string_view("}],:").find(record.front()) != kMore) {
    return "the line goes on with a value of the lines before, as it begins with '" +
           std::string(1, record.front()) +
           "'; JSON lines have one whole object a line: write each object in one line, as jq -c "
           "does";
  }
  JsonCursor alone(record);
  const std::string_view value = alone.TakeRaw();
  if (alone.ok()) {
    if (Trim(record.substr(value.size())) != ",") return {};
    return "a comma stands behind the value, as between the elements of an array; JSON lines have "
           "one whole object a line: take off the commas, or put [ before the first value and ] "
           "behind the last";
  }
  if (alone.fault_offset() < record.size()) return {};
  // The line ends within its value. It was cut off, unless the next line goes on where it ends.
  const std::string_view rest = text_.substr(static_cast<size_t>(record.data() - text_.data()));
  const size_t next = SkipBlanks(rest, record.size());
  JsonCursor joined(rest.substr(0, rest.find('\n', next)));
  joined.TakeRaw();
  const bool goes_on = next < rest.size() && (joined.ok() || joined.fault_offset() > next);
  return goes_on ? SpanFault(rest, line_) : std::string();
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
