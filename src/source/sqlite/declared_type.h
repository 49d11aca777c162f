#pragma once

#include <arrow/type.h>

#include <memory>
#include <string>

namespace calve::source::sqlite {

/// The exact type of a column by the type that it was declared with; null where the declaration does
/// not say: then its values do.
std::shared_ptr<arrow::DataType> TypeOfDeclaration(const std::string& declared);

}  // namespace calve::source::sqlite
