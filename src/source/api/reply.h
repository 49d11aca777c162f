#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace calve::source::api {

/// See that a reply is one whole JSON text: kTransient when it breaks off, kData when it is none.
Status CheckWholeJson(std::string_view body);

/// The value that keys lead to, as it stands in a whole JSON text; nothing when it is not there.
std::optional<std::string_view> FindJson(std::string_view text,
                                         const std::vector<std::string>& keys);

/// The text of a JSON value: of a string what it says, of a number or boolean how it stands; nothing
/// for null, objects and arrays.
std::optional<std::string> ScalarText(std::string_view value);

/// The paths of keys that lead to arrays of objects in a whole JSON text, "" for the text itself.
std::vector<std::string> ListsIn(std::string_view text);

/// The records of a whole reply, as they stand: the elements of the array that `path` leads to, or
/// the one object. Null is none. Fails with kData when there is something else, naming the paths
/// that would do.
Result<std::vector<std::string_view>> RecordsOf(std::string_view body, const std::string& path);

/// A JSON value that two texts share if and only if they say the same: without blanks, keys in
/// order.
std::string CanonicalJson(std::string_view value);

}  // namespace calve::source::api
