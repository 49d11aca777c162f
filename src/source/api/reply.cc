#include "source/api/reply.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "source/api/api_options.h"
#include "source/json_cursor.h"

namespace calve::source::api {
namespace {

constexpr size_t kShownBytes = 60;
constexpr int kListDepthMax = 4;

/// A text as it may be shown in a message.
std::string Shown(std::string_view text) {
  const std::string_view start = text.substr(0, kShownBytes);
  return IsValidUtf8(start) ? Quote(start) : "bytes that are no UTF-8";
}

void FindLists(JsonCursor& cursor, const std::string& path, int depth,
               std::vector<std::string>* lists) {
  const JsonKind kind = cursor.Peek();
  if (kind == JsonKind::kArray) {
    bool has_objects = false;
    cursor.EnterArray();
    while (cursor.NextElement()) {
      has_objects = has_objects || cursor.Peek() == JsonKind::kObject;
      cursor.TakeRaw();
    }
    if (has_objects) lists->push_back(path);
  } else if (kind == JsonKind::kObject && depth < kListDepthMax) {
    std::string_view key;
    cursor.EnterObject();
    while (cursor.NextKey(&key)) {
      const std::string below = (path.empty() ? "" : path + ".") + std::string(key);
      FindLists(cursor, below, depth + 1, lists);
    }
  } else {
    cursor.TakeRaw();
  }
}

void AppendCanonical(JsonCursor& cursor, std::string* text) {
  switch (cursor.Peek()) {
    case JsonKind::kObject: {
      std::vector<std::pair<std::string, std::string>> fields;
      std::string_view key;
      cursor.EnterObject();
      while (cursor.NextKey(&key)) {
        auto& field = fields.emplace_back(std::string(key), std::string());
        AppendCanonical(cursor, &field.second);
      }
      std::sort(fields.begin(), fields.end());
      *text += '{';
      for (const auto& [name, value] : fields) *text += Quote(name) + ":" + value + ",";
      *text += '}';
      return;
    }
    case JsonKind::kArray:
      *text += '[';
      cursor.EnterArray();
      while (cursor.NextElement()) {
        AppendCanonical(cursor, text);
        *text += ',';
      }
      *text += ']';
      return;
    case JsonKind::kString:
      *text += Quote(cursor.TakeString());
      return;
    case JsonKind::kNull:
    case JsonKind::kBoolean:
    case JsonKind::kNumber:
      *text += cursor.TakeScalar();
      return;
    case JsonKind::kNone:
      return;
  }
}

}  // namespace

Status CheckWholeJson(std::string_view body) {
  JsonCursor cursor(body);
  cursor.TakeRaw();
  cursor.Finish();
  if (cursor.ok()) return Status::Ok();
  // A character of several bytes may be cut as well.
  const bool begins = !body.empty() && (body.front() == '{' || body.front() == '[');
  if (begins && cursor.fault_offset() + 4 > body.size()) {
    return TransientError("the reply breaks off in the middle, after " +
                          FormatBytes(ByteCount(static_cast<int64_t>(body.size()))));
  }
  if (!begins) {
    return DataError("expected a reply in JSON, found " +
                     (body.empty() ? std::string("nothing") : Shown(body)) +
                     "; check base_url and endpoint, or ask for JSON by headers");
  }
  return DataError("the reply is no JSON: " + cursor.fault());
}

std::optional<std::string_view> FindJson(std::string_view text,
                                         const std::vector<std::string>& keys) {
  JsonCursor cursor(text);
  for (const std::string& wanted : keys) {
    if (cursor.Peek() != JsonKind::kObject) return std::nullopt;
    std::string_view key;
    bool found = false;
    cursor.EnterObject();
    while (!found && cursor.NextKey(&key)) {
      found = key == wanted;
      if (!found) cursor.TakeRaw();
    }
    if (!found) return std::nullopt;
  }
  const std::string_view value = cursor.TakeRaw();
  if (!cursor.ok()) return std::nullopt;
  return value;
}

std::optional<std::string> ScalarText(std::string_view value) {
  JsonCursor cursor(value);
  switch (cursor.Peek()) {
    case JsonKind::kString:
      return std::string(cursor.TakeString());
    case JsonKind::kNumber:
    case JsonKind::kBoolean:
      return std::string(cursor.TakeScalar());
    case JsonKind::kNull:
    case JsonKind::kObject:
    case JsonKind::kArray:
    case JsonKind::kNone:
      return std::nullopt;
  }
  return std::nullopt;
}

std::vector<std::string> ListsIn(std::string_view text) {
  std::vector<std::string> lists;
  JsonCursor cursor(text);
  FindLists(cursor, "", 0, &lists);
  return lists;
}

Result<std::vector<std::string_view>> RecordsOf(std::string_view body, const std::string& path) {
  const auto advice = [&]() -> std::string {
    const std::vector<std::string> lists = ListsIn(body);
    if (lists.empty()) return "set records_path to the keys that lead to the records";
    if (lists.front().empty()) return "leave out records_path: the reply is the array itself";
    return "set records_path to where its records are: " + Join(lists, " or ");
  };
  std::optional<std::string_view> list = FindJson(body, KeysOf(path));
  if (!list.has_value()) {
    return DataError("the reply has no " + path + ", where records_path says its records are; " +
                     advice());
  }
  JsonCursor cursor(*list);
  std::vector<std::string_view> records;
  switch (cursor.Peek()) {
    case JsonKind::kArray:
      cursor.EnterArray();
      while (cursor.NextElement()) records.push_back(cursor.TakeRaw());
      return records;
    case JsonKind::kNull:
      return records;
    case JsonKind::kObject:
      if (path.empty() && !ListsIn(body).empty()) {
        return DataError("the reply is an object, and expected is an array of records; " +
                         advice());
      }
      records.push_back(*list);
      return records;
    default:
      return DataError("expected an array of records" +
                       (path.empty() ? std::string() : " at " + path) + ", found " + Shown(*list) +
                       "; " + advice());
  }
}

std::string CanonicalJson(std::string_view value) {
  std::string text;
  JsonCursor cursor(value);
  AppendCanonical(cursor, &text);
  return text;
}

}  // namespace calve::source::api
