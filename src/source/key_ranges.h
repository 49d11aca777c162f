#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "source/table_source.h"

namespace calve::source {

/// Wide enough for the keys of every column of integers.
__extension__ typedef __int128 Key;

/// Keys of about so many rows.
struct KeyRange {
  Key first = 0;
  Key last = 0;
  int64_t rows = 0;
};

/// Part a range of keys into about `parts` that hold about as many rows each, however uneven the
/// keys lie. `count` estimates the rows between two keys, both included.
Result<std::vector<KeyRange>> PartKeys(
    KeyRange all, int64_t parts, const std::function<Result<int64_t>(Key first, Key last)>& count);

/// The conditions of ranges that follow one another, for DatabaseView::Parts: the first and the last
/// one are open, so that rows which come meanwhile belong to one of them.
std::vector<std::string> ConditionsOf(const std::vector<KeyRange>& ranges, const std::string& key);

/// DatabaseView::Parts for a database that does not tell how many rows lie between two keys: by the
/// stretches in which there are keys at all. `column` is one of whole numbers; rows in which it is
/// NULL belong to the first part. Fails with kConfig when the relation has no such column.
Result<std::vector<std::string>> PartByColumn(const Context& context, DatabaseView& view,
                                              const Relation& relation, const std::string& column,
                                              int64_t parts_max);

/// Read a whole number; 0 for what is none.
Key ParseKey(const std::string& text);
std::string PrintKey(Key key);

}  // namespace calve::source
