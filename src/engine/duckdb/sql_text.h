#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"

namespace calve::engine {

/// A table name that DuckDB's grammar lacks, as a person wrote it.
struct SpelledTable {
  TableReference reference;   ///< Its parts, and what stands after @.
  std::string version_sql;    ///< The expression of AT (VERSION => ...), or "".
  std::string timestamp_sql;  ///< The expression of AT (TIMESTAMP => ...), or "".
};

/// A person's SQL in the form that DuckDB parses.
///
/// `ns.t@branch`, `t@123`, `a.b.c.t` and `t AT (VERSION => 5)` become one quoted identifier which
/// spells what the person wrote, so that a name in an error is theirs; `ns.t.column` becomes
/// `t.column`. Places are mapped back to the person's text.
class SqlText {
 public:
  explicit SqlText(std::string original);

  const std::string& original() const { return original_; }
  const std::string& rewritten() const { return rewritten_; }
  /// By the identifier that stands in the rewritten text, unquoted.
  std::map<std::string, SpelledTable>& spelled() { return spelled_; }
  const std::map<std::string, SpelledTable>& spelled() const { return spelled_; }

  /// "line 2, column 5" of the original for an offset in bytes into the rewritten text; columns
  /// count characters.
  std::string PlaceOf(size_t rewritten_offset) const;

 private:
  struct Edit {
    size_t original_begin;
    size_t original_end;
    size_t rewritten_begin;
    size_t rewritten_end;
  };
  void Rewrite();

  std::string original_;
  std::string rewritten_;
  std::map<std::string, SpelledTable> spelled_;
  std::vector<Edit> edits_;
};

}  // namespace calve::engine
