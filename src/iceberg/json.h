#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "iceberg/ids.h"

namespace calve::iceberg {

/// JSON whose keys keep their order, so that what people open begins with what matters.
using Json = nlohmann::ordered_json;

/// Read JSON text. Fails with kData naming line and column, and on nesting too deep to be honest.
Result<Json> ParseJson(std::string_view text);
/// Write compact JSON; bytes that are not UTF-8 become U+FFFD.
std::string DumpJson(const Json& json);

/// Name a JSON value for an error: `a string "abc"`, `an object`, `null`.
std::string Describe(const Json& json);
/// An error that says where in the document, what was expected and what is there.
Error Unexpected(std::string_view place, std::string_view expected, const Json& found);

/// A JSON object being read, with its place in the document for errors. A view: the document
/// outlives it.
///
/// Keys with a null value read as absent. Keys that nobody asks for are tolerated. All failures are
/// kData.
class JsonObject {
 public:
  /// Fails when `json` is no object. `place` is a path such as `snapshots[3]`, empty for the whole
  /// document.
  static Result<JsonObject> Of(const Json& json, std::string place);

  const std::string& place() const { return place_; }
  /// The place of a key, for errors.
  std::string PlaceOf(std::string_view key) const;
  /// The value of a key; nullptr when it is absent or null.
  const Json* Find(std::string_view key) const;
  /// Whether the key is there, be it null.
  bool Has(std::string_view key) const;

  Result<const Json*> Require(std::string_view key) const;
  Result<int32_t> Int(std::string_view key) const;
  Result<int64_t> Long(std::string_view key) const;
  Result<bool> Bool(std::string_view key) const;
  Result<std::string> Text(std::string_view key) const;
  /// The elements of an array.
  Result<const Json*> Array(std::string_view key) const;

  /// A snapshot id. One above the signed range keeps its bits, since some writers take ids from the
  /// unsigned range.
  Result<SnapshotId> GetSnapshotId(std::string_view key) const;

  Result<std::optional<int32_t>> OptionalInt(std::string_view key) const;
  Result<std::optional<int64_t>> OptionalLong(std::string_view key) const;
  Result<std::optional<SnapshotId>> OptionalSnapshotId(std::string_view key) const;
  Result<std::optional<bool>> OptionalBool(std::string_view key) const;
  Result<std::optional<std::string>> OptionalText(std::string_view key) const;
  /// An object of strings; empty when absent.
  Result<std::map<std::string, std::string>> TextMap(std::string_view key) const;
  Result<std::vector<std::string>> TextList(std::string_view key) const;
  Result<std::vector<int32_t>> IntList(std::string_view key) const;
  Result<std::vector<int64_t>> LongList(std::string_view key) const;

  /// Read each element of an array as an object with `read(const JsonObject&) -> Result<T>`; none
  /// when the key is absent.
  template <typename T, typename Read>
  Result<std::vector<T>> Objects(std::string_view key, Read read) const {
    std::vector<T> values;
    if (Find(key) == nullptr) return values;
    CALVE_ASSIGN_OR_RETURN(const Json* array, Array(key));
    for (size_t i = 0; i < array->size(); ++i) {
      CALVE_ASSIGN_OR_RETURN(const JsonObject object, Of((*array)[i], ElementPlace(key, i)));
      CALVE_ASSIGN_OR_RETURN(T value, read(object));
      values.push_back(std::move(value));
    }
    return values;
  }

 private:
  JsonObject(const Json* json, std::string place) : json_(json), place_(std::move(place)) {}
  std::string ElementPlace(std::string_view key, size_t index) const;

  const Json* json_;
  std::string place_;
};

/// Set a key when there is a value.
template <typename T>
void SetIf(Json& json, const char* key, const std::optional<T>& value) {
  if (value) json[key] = *value;
}

}  // namespace calve::iceberg
