#pragma once

#include <string_view>

#include "base/result.h"

namespace calve::source {

/// What an error is that a driver names by its SQLSTATE (ISO 9075, and ODBC's own classes):
/// kTransient when the server cannot be reached or gives way to another, kNotFound for a table that
/// is not there, kRefused on rights and for all that is not known, kConfig for SQL that cannot be
/// read, kData for values.
ErrorKind KindOfSqlState(std::string_view state);

}  // namespace calve::source
