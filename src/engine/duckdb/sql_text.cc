#include "engine/duckdb/sql_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "engine/duckdb/library.h"

namespace calve::engine {
namespace {

using duckdb::SimplifiedTokenType;

struct Token {
  SimplifiedTokenType type;
  size_t begin;
  size_t end;
  std::string_view text;
};

bool IsNameCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

/// The end of the token that starts at `begin`: DuckDB's tokenizer gives only starts.
size_t EndOfToken(std::string_view sql, size_t begin) {
  const char first = sql[begin];
  if (first == '"' || first == '\'') {
    size_t at = begin + 1;
    while (at < sql.size()) {
      if (sql[at] != first) {
        ++at;
      } else if (at + 1 < sql.size() && sql[at + 1] == first) {
        at += 2;
      } else {
        return at + 1;
      }
    }
    return sql.size();
  }
  if (!IsNameCharacter(first)) return begin + 1;
  size_t at = begin;
  while (at < sql.size() && IsNameCharacter(sql[at])) ++at;
  return at;
}

std::vector<Token> Tokenize(const std::string& sql) {
  std::vector<Token> tokens;
  for (const auto& token : duckdb::Parser::Tokenize(sql)) {
    const size_t end = EndOfToken(sql, token.start);
    tokens.push_back({token.type, token.start, end,
                      std::string_view(sql).substr(token.start, end - token.start)});
  }
  return tokens;
}

std::string Unquote(std::string_view text) {
  if (text.size() < 2 || text.front() != '"') return std::string(text);
  std::string name;
  for (size_t i = 1; i + 1 < text.size(); ++i) {
    name += text[i];
    if (text[i] == '"') ++i;
  }
  return name;
}

/// Walks tokens and finds names of tables that need other words; knows where in a statement a table
/// may stand.
class NameFinder {
 public:
  struct Found {
    size_t begin = 0;
    size_t end = 0;
    std::optional<SpelledTable> table;  ///< Else a qualified column, of which only the end stays.
  };

  NameFinder(const std::string& sql, std::vector<Token> tokens)
      : sql_(sql), tokens_(std::move(tokens)) {}

  /// All places to change, in order.
  std::vector<Found> Find() {
    levels_.push_back({});
    for (size_t i = 0; i < tokens_.size();) {
      Found found;
      const size_t end = NameAt(i, found);
      if (end > i) {
        if (found.table) found_.push_back(std::move(found));
        levels_.back().table_next = false;
        levels_.back().empty = false;
        i = end;
      } else {
        Step(i++);
      }
    }
    for (const Chain& column : columns_) ShortenColumn(column);
    std::ranges::sort(found_, {}, &Found::begin);
    return std::move(found_);
  }

 private:
  /// A dotted name; every second token is a dot.
  struct Chain {
    size_t first_token;
    std::vector<std::string> parts;
  };

  struct Level {
    bool empty = true;      ///< Nothing stood in these parentheses yet.
    bool is_query = false;  ///< A SELECT or a leading FROM stood here, or a change of rows.
    bool in_from = false;
    bool table_next = false;
    bool changes = false;  ///< UPDATE, DELETE or MERGE stood here.
  };

  bool Is(size_t i, std::string_view word) const {
    return i < tokens_.size() && ToLower(tokens_[i].text) == word;
  }
  bool IsName(size_t i) const {
    if (i >= tokens_.size()) return false;
    const Token& t = tokens_[i];
    if (t.text.front() == '"') return true;
    if (t.type == SimplifiedTokenType::SIMPLIFIED_TOKEN_IDENTIFIER)
      return IsNameCharacter(t.text.front());
    return t.type == SimplifiedTokenType::SIMPLIFIED_TOKEN_KEYWORD &&
           IsNameCharacter(t.text.front());
  }
  bool IsReserved(size_t i) const {
    return tokens_[i].type == SimplifiedTokenType::SIMPLIFIED_TOKEN_KEYWORD &&
           duckdb::Parser::IsKeyword(std::string(tokens_[i].text)) ==
               duckdb::KeywordCategory::KEYWORD_RESERVED;
  }

  /// Read a dotted name with what follows it, and return the token after it; `i` when no name
  /// starts here. `found` stays empty for a name that DuckDB reads by itself.
  size_t NameAt(size_t i, Found& found) {
    if (!IsName(i) || IsReserved(i) || (i > 0 && tokens_[i - 1].text == ".")) return i;
    size_t at = i;
    std::vector<std::string> parts{Unquote(tokens_[at++].text)};
    while (at + 1 < tokens_.size() && tokens_[at].text == "." && IsName(at + 1)) {
      parts.push_back(Unquote(tokens_[at + 1].text));
      at += 2;
    }
    SpelledTable table;
    const bool table_stands_here = levels_.back().table_next;
    const bool odd =
        ReadRef(at, table) || ReadAt(at, table) || (parts.size() > 3 && table_stands_here);
    if (odd) {
      table.reference.parts = parts;
      found = {tokens_[i].begin, tokens_[at - 1].end, std::move(table)};
    }
    if (parts.size() > 1)
      (odd || table_stands_here ? tables_ : columns_).push_back({i, std::move(parts)});
    // A word alone may also be a keyword that opens a clause: Step shall see it.
    return at > i + 1 ? at : i;
  }

  /// `ns.table.column` of a table in this SQL becomes `table.column`: DuckDB knows it by its last
  /// name only.
  void ShortenColumn(const Chain& column) {
    for (const Chain& table : tables_) {
      const size_t count = table.parts.size();
      const size_t after = column.first_token + 2 * column.parts.size() - 1;
      const bool all_columns = after + 1 < tokens_.size() && tokens_[after].text == "." &&
                               tokens_[after + 1].text == "*";
      if (column.parts.size() < count + (all_columns ? 0 : 1)) continue;
      const auto same = [](const std::string& a, const std::string& b) {
        return ToLower(a) == ToLower(b);
      };
      if (!std::equal(table.parts.begin(), table.parts.end(), column.parts.begin(), same)) continue;
      found_.push_back({tokens_[column.first_token].begin,
                        tokens_[column.first_token + 2 * (count - 1)].begin, std::nullopt});
      return;
    }
  }

  /// `@name` or `@123`, without blanks around the @.
  bool ReadRef(size_t& at, SpelledTable& table) const {
    if (at + 1 >= tokens_.size() || tokens_[at].text != "@") return false;
    if (tokens_[at - 1].end != tokens_[at].begin || tokens_[at].end != tokens_[at + 1].begin)
      return false;
    const std::string_view text = tokens_[at + 1].text;
    int64_t id = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (error == std::errc() && end == text.data() + text.size()) {
      table.reference.snapshot_id = id;
    } else if (IsNameCharacter(text.front()) || text.front() == '"') {
      table.reference.ref = Unquote(text);
    } else {
      return false;
    }
    at += 2;
    return true;
  }

  /// `AT (VERSION => expression)` or `AT (TIMESTAMP => expression)`.
  bool ReadAt(size_t& at, SpelledTable& table) const {
    if (!Is(at, "at") || at + 4 >= tokens_.size() || tokens_[at + 1].text != "(") return false;
    const bool version = Is(at + 2, "version");
    if (!version && !Is(at + 2, "timestamp")) return false;
    if (sql_.compare(tokens_[at + 3].begin, 2, "=>") != 0) return false;
    int depth = 1;
    size_t close = at + 4;
    for (; close < tokens_.size(); ++close) {
      if (tokens_[close].text == "(") ++depth;
      if (tokens_[close].text == ")" && --depth == 0) break;
    }
    if (close == tokens_.size()) return false;
    const size_t from = tokens_[at + 3].begin + 2;
    (version ? table.version_sql : table.timestamp_sql) =
        sql_.substr(from, tokens_[close].begin - from);
    at = close + 1;
    return true;
  }

  /// Follow what the token at `i` opens, closes or starts.
  void Step(size_t i) {
    Level& level = levels_.back();
    const std::string_view text = tokens_[i].text;
    const bool first = level.empty;
    level.empty = false;
    if (text == "(") {
      Level inner;
      inner.in_from = inner.table_next = level.table_next;  // FROM (a.b.c.t JOIN ...)
      inner.is_query = level.table_next;
      level.table_next = false;
      levels_.push_back(inner);
    } else if (text == ")") {
      if (levels_.size() > 1) levels_.pop_back();
    } else if (text == ";") {
      level = {};
    } else if (text == ",") {
      level.table_next = level.in_from;
    } else if (Is(i, "select")) {
      level = {.empty = false, .is_query = true};
    } else if (first && (Is(i, "update") || Is(i, "delete") || Is(i, "merge"))) {
      level = {.empty = false, .is_query = true, .table_next = Is(i, "update"), .changes = true};
    } else if (Is(i, "using")) {
      level.in_from = level.table_next = level.changes;
    } else if (Is(i, "table") || Is(i, "truncate")) {
      level.table_next = true;
    } else if (Is(i, "if") || Is(i, "not") || Is(i, "exists")) {
      // CREATE TABLE IF NOT EXISTS a.b.c.t
    } else if (Is(i, "from")) {
      if (first) level.is_query = true;
      level.in_from = level.table_next = level.is_query && !(i > 0 && Is(i - 1, "distinct"));
    } else if (Is(i, "join")) {
      level.table_next = level.in_from;
    } else if (Is(i, "describe") || Is(i, "summarize") || Is(i, "into")) {
      level.table_next = true;
    } else if ((level.changes && (Is(i, "set") || Is(i, "when"))) || Is(i, "where") ||
               Is(i, "group") || Is(i, "having") || Is(i, "order") || Is(i, "limit") ||
               Is(i, "qualify") || Is(i, "window") || Is(i, "union") || Is(i, "except") ||
               Is(i, "intersect")) {
      level.in_from = level.table_next = false;
    } else if (!Is(i, "lateral")) {
      level.table_next = false;
    }
  }

  const std::string& sql_;
  std::vector<Token> tokens_;
  std::vector<Level> levels_;
  std::vector<Chain> tables_;
  std::vector<Chain> columns_;
  std::vector<Found> found_;
};

}  // namespace

SqlText::SqlText(std::string original) : original_(std::move(original)), rewritten_(original_) {
  try {
    Rewrite();
  } catch (const std::exception&) {
    // Text that cannot be cut into tokens goes to the parser as it is, which says why.
    rewritten_ = original_;
    spelled_.clear();
    edits_.clear();
  }
}

void SqlText::Rewrite() {
  auto names = NameFinder(original_, Tokenize(original_)).Find();
  if (names.empty()) return;
  rewritten_.clear();
  size_t copied = 0;
  for (auto& name : names) {
    rewritten_ += original_.substr(copied, name.begin - copied);
    const size_t begin = rewritten_.size();
    if (name.table) {
      std::string spelling = original_.substr(name.begin, name.end - name.begin);
      rewritten_ += QuoteIdentifier(spelling);
      spelled_.emplace(std::move(spelling), *std::move(name.table));
    }
    edits_.push_back({name.begin, name.end, begin, rewritten_.size()});
    copied = name.end;
  }
  rewritten_ += original_.substr(copied);
}

std::string SqlText::PlaceOf(size_t rewritten_offset) const {
  size_t offset = rewritten_offset;
  for (const Edit& edit : edits_) {
    if (edit.rewritten_begin > rewritten_offset) break;
    const bool inside = rewritten_offset < edit.rewritten_end;
    offset =
        inside ? edit.original_begin : rewritten_offset - edit.rewritten_end + edit.original_end;
  }
  offset = std::min(offset, original_.size());
  const std::string_view before = std::string_view(original_).substr(0, offset);
  const size_t line_start =
      before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const auto column =
      1 + std::count_if(before.begin() + static_cast<std::ptrdiff_t>(line_start), before.end(),
                        [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
  return fmt::format("line {}, column {}", line, column);
}

}  // namespace calve::engine
