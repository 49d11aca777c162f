#pragma once

#include <string>
#include <string_view>

#include "source/comparison.h"

namespace calve::source::adbc {

/// Where databases differ in what calve asks of them; as most do, unless Of knows better.
struct Dialect {
  std::string name_quote = "\"";
  bool backslash_escapes = false;    ///< In texts.
  std::string one_row = " LIMIT 1";  ///< Behind a SELECT.
  std::string from_nothing;          ///< Behind an expression.
  std::string zoned_cast = "CAST('{}' AS TIMESTAMP WITH TIME ZONE)";
  std::string batch_bytes_option;  ///< Of a statement; "": none is known.
  /// An option of a connection, and its values for types as they are declared and for numbers as
  /// text; "": numbers come exactly in any case.
  std::string numbers_option;
  std::string declared_numbers;
  std::string exact_numbers;

  /// By the database's own name.
  static Dialect Of(std::string_view vendor);

  std::string QuoteName(const std::string& name) const;
  std::string QuoteText(const std::string& text) const;
  std::string Literal(Comparison comparison, std::string text) const;
};

}  // namespace calve::source::adbc
