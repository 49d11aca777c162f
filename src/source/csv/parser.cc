#include "source/csv/parser.h"

#include <algorithm>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/text.h"

namespace calve::source {
namespace {

/// The first of four characters at or behind `at`, or the end.
size_t FindAny(std::string_view data, size_t at, char a, char b, char c, char d) {
#if defined(__SSE2__)
  const __m128i va = _mm_set1_epi8(a);
  const __m128i vb = _mm_set1_epi8(b);
  const __m128i vc = _mm_set1_epi8(c);
  const __m128i vd = _mm_set1_epi8(d);
  for (; at + 16 <= data.size(); at += 16) {
    const __m128i chunk = _mm_loadu_si128(reinterpret_cast<const __m128i*>(data.data() + at));
    const __m128i hit =
        _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(chunk, va), _mm_cmpeq_epi8(chunk, vb)),
                     _mm_or_si128(_mm_cmpeq_epi8(chunk, vc), _mm_cmpeq_epi8(chunk, vd)));
    const int mask = _mm_movemask_epi8(hit);
    if (mask != 0) return at + static_cast<size_t>(__builtin_ctz(static_cast<unsigned>(mask)));
  }
#endif
  for (; at < data.size(); ++at) {
    const char x = data[at];
    if (x == a || x == b || x == c || x == d) return at;
  }
  return at;
}

}  // namespace

Result<size_t> CsvParser::Parse(std::string_view data, bool last, size_t rows_max) {
  rows_.clear();
  fields_.clear();
  unescaped_used_ = 0;
  size_t at = 0;
  while (rows_.size() < rows_max && at < data.size()) {
    size_t next = at;
    const int64_t line = line_;
    const Scan scan = ParseRow(data, &next, last);
    if (scan == Scan::kIncomplete) {
      line_ = line;
      if (last) {
        return DataError(
            "line " + FormatCount(line) + ", column " + std::to_string(open_column_) +
            ": a quote opens here and does not close before the end of the file; close "
            "it, or set another quote for the source");
      }
      break;
    }
    at = next;
  }
  return at;
}

CsvParser::Scan CsvParser::ParseRow(std::string_view data, size_t* at, bool last) {
  const size_t start = *at;
  CsvRow row{.line = line_,
             .raw = {},
             .first_field = static_cast<uint32_t>(fields_.size()),
             .field_count = 0};
  while (true) {
    const bool quoted = dialect_.quote != 0 && *at < data.size() && data[*at] == dialect_.quote;
    if (!quoted) {
      ParsePlain(data, at, &row);
    } else if (!ParseQuoted(data, at, last, &row)) {
      open_column_ = fields_.size() - row.first_field + 1;
      fields_.resize(row.first_field);
      return Scan::kIncomplete;
    }
    if (*at < data.size() && data[*at] == dialect_.delimiter) {
      ++*at;
      continue;
    }
    break;
  }
  const size_t end = *at;
  if (end == data.size() && !last) {
    fields_.resize(row.first_field);
    return Scan::kIncomplete;
  }
  if (end < data.size()) {
    const bool cr = data[end] == '\r';
    if (cr && end + 1 == data.size() && !last) {
      fields_.resize(row.first_field);
      return Scan::kIncomplete;
    }
    *at = end + (cr && end + 1 < data.size() && data[end + 1] == '\n' ? 2 : 1);
    ++line_;
  }
  if (end == start) {
    fields_.resize(row.first_field);
    return Scan::kBlank;
  }
  row.raw = data.substr(start, end - start);
  row.field_count = static_cast<uint32_t>(fields_.size()) - row.first_field;
  if (row.fault == CsvRowFault::kNone &&
      std::memchr(row.raw.data(), '\0', row.raw.size()) != nullptr)
    row.fault = CsvRowFault::kNul;
  rows_.push_back(row);
  return Scan::kRow;
}

void CsvParser::ParsePlain(std::string_view data, size_t* at, CsvRow*) {
  const size_t end = FindAny(data, *at, dialect_.delimiter, '\n', '\r', dialect_.delimiter);
  fields_.push_back({.text = data.substr(*at, end - *at), .quoted = false});
  *at = end;
}

bool CsvParser::ParseQuoted(std::string_view data, size_t* at, bool last, CsvRow* row) {
  const char quote = dialect_.quote;
  const size_t start = *at + 1;
  bool doubled = false;
  size_t end = start;
  while (true) {
    end = FindAny(data, end, quote, quote, quote, quote);
    if (end == data.size()) return false;
    if (end + 1 < data.size() && data[end + 1] == quote) {
      doubled = true;
      end += 2;
      continue;
    }
    if (end + 1 == data.size() && !last)
      return false;  // Whether the quote is doubled is not known yet.
    break;
  }
  const std::string_view inside = data.substr(start, end - start);
  line_ += std::count(inside.begin(), inside.end(), '\n');
  *at = end + 1;
  const size_t stop = FindAny(data, *at, dialect_.delimiter, '\n', '\r', dialect_.delimiter);
  if (stop != *at) {
    row->fault = CsvRowFault::kTextAfterQuote;
    *at = stop;
  }
  fields_.push_back({.text = doubled ? Unescape(inside) : inside, .quoted = true});
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

}  // namespace calve::source
