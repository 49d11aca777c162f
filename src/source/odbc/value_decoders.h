#pragma once

#include <arrow/type.h>

#include <memory>

#include "source/odbc/connection.h"
#include "source/value_decoder.h"

namespace calve::source::odbc {

/// A decoder of values of `form`, as a Connection gives them, into arrays of `type`.
std::unique_ptr<ValueDecoder> MakeDecoder(Form form, const std::shared_ptr<arrow::DataType>& type);

}  // namespace calve::source::odbc
