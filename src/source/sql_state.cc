#include "source/sql_state.h"

namespace calve::source {

ErrorKind KindOfSqlState(std::string_view state) {
  const auto is = [&](std::string_view prefix) { return state.starts_with(prefix); };
  if (is("42S02") || is("S0002") || is("42P01") || is("3F000") || is("3D000"))
    return ErrorKind::kNotFound;
  if (is("08") || is("HYT") || is("40") || is("53") || is("57P")) return ErrorKind::kTransient;
  if (is("28") || is("42501")) return ErrorKind::kRefused;
  if (is("42") || is("01") || is("37") || is("IM") || is("S0") || is("07"))
    return ErrorKind::kConfig;
  if (is("22")) return ErrorKind::kData;
  return ErrorKind::kRefused;
}

}  // namespace calve::source
