#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "iceberg/update.h"

namespace calve::statement {

/// Compute what a person asks for by sentences such as `add note string`, `rename qty to quantity`
/// or `partition by day(ts)`, each on what the ones before it make.
///
/// One change of `base`, all or nothing; empty when everything is so already. Fails with kConfig
/// naming the sentence.
Result<iceberg::TableChange> ChangeTable(const iceberg::TableMetadata& base,
                                         const std::vector<std::string>& sentences);

/// The forms that a sentence has, one a line, for messages and help.
const char* TableChangeForms();

}  // namespace calve::statement
