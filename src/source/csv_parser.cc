#include "source/csv_parser.h"

#include <algorithm>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/text.h"

namespace calve::source {
namespace {

/// The first of three characters at or behind `at`, or the end.
size_t FindAny(std::string_view data, size_t at, char a, char b, char c) {
#if defined(__SSE2__)
  const __m128i va = _mm_set1_epi8(a);
  const __m128i vb = _mm_set1_epi8(b);
  const __m128i vc = _mm_set1_epi8(c);
  for (; at + 16 <= data.size(); at += 16) {
    const __m128i chunk = _mm_loadu_si128(reinterpret_cast<const __m128i*>(data.data() + at));
    const __m128i hit =
        _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(chunk, va), _mm_cmpeq_epi8(chunk, vb)),
                     _mm_cmpeq_epi8(chunk, vc));
    const int mask = _mm_movemask_epi8(hit);
    if (mask != 0) return at + static_cast<size_t>(__builtin_ctz(static_cast<unsigned>(mask)));
  }
#endif
  for (; at < data.size(); ++at) {
    const char x = data[at];
    if (x == a || x == b || x == c) return at;
  }
  return at;
}

uint64_t LengthBit(size_t length) { return uint64_t{1} << std::min<size_t>(length, 63); }

/// Lines that end in a text without quotes.
int64_t LinesOf(std::string_view text) {
  int64_t lines = CountLines(text);
  for (size_t at = text.find('\r'); at != std::string_view::npos; at = text.find('\r', at + 1)) {
    if (at + 1 == text.size() || text[at + 1] != '\n') ++lines;
  }
  return lines;
}

/// Without quotes every line break ends a row. A CR at the end may be half of one.
RowEnds::Cut LastRowEnd(std::string_view text) {
  if (text.empty()) return {};
  size_t end = text.rfind('\n');
  if (end == std::string_view::npos) end = text.substr(0, text.size() - 1).rfind('\r');
  if (end == std::string_view::npos) return {};
  return {.end = end + 1, .lines = LinesOf(text.substr(0, end + 1))};
}

}  // namespace

CsvParser::CsvParser(CsvDialect dialect) : dialect_(std::move(dialect)) {
  for (const std::string& text : dialect_.null_values) null_lengths_ |= LengthBit(text.size());
}

columnar::TextValue CsvParser::Plain(std::string_view text) const {
  if (dialect_.trim) text = Trim(text);
  const std::vector<std::string>& nulls = dialect_.null_values;
  const bool may_be = (null_lengths_ & LengthBit(text.size())) != 0;
  return {.text = text,
          .null = may_be && std::find(nulls.begin(), nulls.end(), text) != nulls.end()};
}

Result<size_t> CsvParser::Parse(std::string_view data, size_t rows_max) {
  rows_.clear();
  fields_.clear();
  unescaped_used_ = 0;
  size_t at = 0;
  while (rows_.size() < rows_max && at < data.size()) {
    const int64_t line = line_;
    if (ParseRow(data, &at)) continue;
    return DataError("line " + FormatCount(line) + ", column " + std::to_string(open_column_) +
                     ": a quote opens here and does not close before the end of the file; close "
                     "it, or set another quote for the source");
  }
  return at;
}

bool CsvParser::ParseRow(std::string_view data, size_t* at) {
  const size_t start = *at;
  CsvRow row{.line = line_,
             .raw = {},
             .first_field = static_cast<uint32_t>(fields_.size()),
             .field_count = 0};
  size_t place = start;
  while (true) {
    if (dialect_.quote != 0 && place < data.size() && data[place] == dialect_.quote) {
      if (!ParseQuoted(data, &place, &row)) {
        open_column_ = fields_.size() - row.first_field + 1;
        return false;
      }
    } else {
      const size_t end = FindAny(data, place, dialect_.delimiter, '\n', '\r');
      fields_.push_back(Plain(data.substr(place, end - place)));
      place = end;
    }
    if (place == data.size() || data[place] != dialect_.delimiter) break;
    ++place;
  }
  *at = place;
  if (place < data.size()) {
    const bool two = data[place] == '\r' && place + 1 < data.size() && data[place + 1] == '\n';
    *at = place + (two ? 2 : 1);
    ++line_;
  }
  if (place == start) {  // A blank line.
    fields_.resize(row.first_field);
    return true;
  }
  row.raw = data.substr(start, place - start);
  row.field_count = static_cast<uint32_t>(fields_.size()) - row.first_field;
  if (row.fault == CsvRowFault::kNone &&
      std::memchr(row.raw.data(), '\0', row.raw.size()) != nullptr)
    row.fault = CsvRowFault::kNul;
  rows_.push_back(row);
  return true;
}

/// From an opening quote on.
bool CsvParser::ParseQuoted(std::string_view data, size_t* at, CsvRow* row) {
  const size_t start = *at + 1;
  bool doubled = false;
  size_t end = data.find(dialect_.quote, start);
  while (end != std::string_view::npos && end + 1 < data.size() &&
         data[end + 1] == dialect_.quote) {
    doubled = true;
    end = data.find(dialect_.quote, end + 2);
  }
  if (end == std::string_view::npos) return false;
  const std::string_view inside = data.substr(start, end - start);
  line_ += std::count(inside.begin(), inside.end(), '\n');
  *at = end + 1;
  const size_t stop = FindAny(data, *at, dialect_.delimiter, '\n', '\r');
  if (stop != *at) {
    row->fault = CsvRowFault::kTextAfterQuote;
    *at = stop;
  }
  fields_.push_back({.text = doubled ? Unescape(inside) : inside, .null = false});
  return true;
}

std::string_view CsvParser::Unescape(std::string_view quoted) {
  if (unescaped_used_ == unescaped_.size()) unescaped_.emplace_back();
  std::string& text = unescaped_[unescaped_used_++];
  text.clear();
  text.reserve(quoted.size());
  for (size_t i = 0; i < quoted.size(); ++i) {
    text += quoted[i];
    if (quoted[i] == dialect_.quote) ++i;
  }
  return text;
}

Result<RowEnds::Cut> CsvRowEnds::Find(std::string_view text, bool at_end) {
  if (at_end) return Cut{.end = text.size()};  // Nobody asks for the line behind it.
  const bool plain = dialect_.quote == 0 || text.find(dialect_.quote) == std::string_view::npos;
  return plain ? LastRowEnd(text) : FindAmongQuotes(text);
}

RowEnds::Cut CsvRowEnds::FindAmongQuotes(std::string_view text) const {
  const char quote = dialect_.quote;
  Cut cut;
  int64_t lines = 0;
  size_t value = 0;  // Where a value begins: only there a quote opens.
  for (size_t at = 0; at < text.size();) {
    if (at == value && text[at] == quote) {
      size_t end = text.find(quote, at + 1);
      while (end != std::string_view::npos && end + 1 < text.size() && text[end + 1] == quote)
        end = text.find(quote, end + 2);
      if (end == std::string_view::npos || end + 1 == text.size()) return cut;
      lines += std::count(text.begin() + static_cast<ptrdiff_t>(at),
                          text.begin() + static_cast<ptrdiff_t>(end), '\n');
      at = end + 1;
      continue;
    }
    at = FindAny(text, at, dialect_.delimiter, '\n', '\r');
    if (at == text.size() || (text[at] == '\r' && at + 1 == text.size())) return cut;
    if (text[at] != dialect_.delimiter) {
      if (text[at] == '\r' && text[at + 1] == '\n') ++at;
      cut = {.end = at + 1, .lines = ++lines};
    }
    value = ++at;
  }
  return cut;
}

}  // namespace calve::source
