#include "config/option.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "base/text.h"

namespace calve::config {

/// Which declared keys a mapping gives, and which it seems to mean.
struct AnyShape::Given {
  struct Value {
    const Node* node = nullptr;
    Place key_place;
  };
  std::map<std::string, Value, std::less<>> values;  ///< By declared key. Nulls are left out.
  std::map<std::string, Place, std::less<>> nulls;   ///< Keys whose value says nothing.
  std::vector<std::string> meant;  ///< Declared keys that an unknown one is near to.
};

namespace {

/// A meaning as the end of a sentence: first letter lower unless it is an abbreviation, no full
/// stop.
std::string AsClause(std::string_view meaning) {
  std::string clause(meaning.substr(0, meaning.find(". ")));
  if (clause.ends_with('.')) clause.pop_back();
  const bool is_word = clause.size() > 1 && clause[1] >= 'a' && clause[1] <= 'z';
  if (is_word && clause[0] >= 'A' && clause[0] <= 'Z')
    clause[0] = static_cast<char>(clause[0] - 'A' + 'a');
  return clause;
}

/// Keep every text of a secret option out of messages. true and false hide nothing, and stand in
/// many messages.
void HideAll(const Node& node, Faults& faults) {
  if (node.is_scalar() && CoreTypeOf(node) != CoreType::kBool) faults.Hide(node.text());
  for (const Node& item : node.items()) HideAll(item, faults);
  for (const Node::Entry& entry : node.entries()) HideAll(entry.value, faults);
}

/// The value of a variable as if the file had said ${NAME}; none when it is not set or empty.
std::optional<Node> FromEnvironment(const std::string& name, const Environment& environment,
                                    const Place& place) {
  if (name.empty()) return std::nullopt;
  std::optional<std::string> value = environment.Get(name);
  if (!value.has_value() || value->empty()) return std::nullopt;
  Node node = Node::Scalar("${" + name + "}");
  node.Fill(*std::move(value));
  node.set_place(place);
  return node;
}

/// Whether a default says nothing that a reader need know: no text, no items, no keys.
bool IsEmpty(const Node& node) {
  return node.text().empty() && node.items().empty() && node.entries().empty();
}

std::string QuotedKeys(const std::vector<std::string>& keys, std::string_view last) {
  std::string text;
  for (size_t i = 0; i < keys.size(); ++i) {
    if (i > 0) text += i + 1 == keys.size() ? fmt::format(" {} ", last) : ", ";
    text += '\'' + keys[i] + '\'';
  }
  return text;
}

}  // namespace

void AnyShape::AddField(Field field) {
  assert(std::none_of(fields_.begin(), fields_.end(),
                      [&](const Field& f) { return f.key == field.key; }));
  fields_.push_back(std::move(field));
}

const AnyShape::Field* AnyShape::FindField(std::string_view key, bool& is_alias) const {
  is_alias = false;
  for (const Field& field : fields_) {
    if (field.key == key) return &field;
  }
  is_alias = true;
  for (const Field& field : fields_) {
    if (std::find(field.notes.aliases.begin(), field.notes.aliases.end(), key) !=
        field.notes.aliases.end())
      return &field;
  }
  return nullptr;
}

void AnyShape::AddUnknownKey(const Node::Entry& entry, const Reading& reading, Given& given) const {
  constexpr size_t kListedMax = 12;
  if (reading.faults.is_full()) {
    reading.faults.Add(entry.key_place, "unknown key");
    return;
  }
  std::vector<std::string> known;
  for (const Field& field : fields_) known.push_back(field.key);
  const std::vector<std::string> near = NearestNames(entry.key, known);
  std::string hint;
  if (!near.empty()) {
    hint = DidYouMean(entry.key, known).substr(2);
  } else if (known.empty()) {
    hint = "it takes no keys";
  } else if (known.size() <= kListedMax) {
    hint = "known are " + Join(known, ", ");
  }
  given.meant.insert(given.meant.end(), near.begin(), near.end());
  reading.faults.Add(
      entry.key_place,
      fmt::format("unknown key {} of {}", QuoteForMessage(entry.key), WithArticle(noun_)), hint);
}

AnyShape::Given AnyShape::MatchKeys(const Node& node, const Reading& reading) const {
  Given given;
  for (const Node::Entry& entry : node.entries()) {
    bool is_alias = false;
    const Field* field = FindField(entry.key, is_alias);
    if (field == nullptr) {
      AddUnknownKey(entry, reading, given);
      continue;
    }
    if (is_alias) {
      reading.faults.Warn(entry.key_place,
                          fmt::format("'{}' is the older name of '{}'", entry.key, field->key),
                          "rename it");
    }
    if (given.values.contains(field->key)) {
      reading.faults.Add(entry.key_place,
                         fmt::format("'{}' is given twice, once under another name", field->key),
                         "remove one");
      continue;
    }
    if (entry.value.is_null() && !entry.value.is_broken()) {
      given.nulls.try_emplace(field->key, entry.value.place());
    } else {
      given.values[field->key] = {&entry.value, entry.key_place};
    }
  }
  return given;
}

void AnyShape::Complete(Node& node, const Environment& environment) const {
  for (const Field& field : fields_) {
    const Node* given = node.Find(field.key);
    const bool is_given =
        (given != nullptr && !given->is_null()) ||
        std::any_of(field.notes.aliases.begin(), field.notes.aliases.end(),
                    [&](const std::string& alias) { return node.Find(alias) != nullptr; });
    std::optional<Node> value =
        is_given ? std::nullopt
                 : FromEnvironment(field.notes.environment, environment, node.place());
    if (value.has_value()) node.Set(field.key, *std::move(value));
  }
}

bool AnyShape::ReadAbsent(const Field& field, const Node& node, const Given& given,
                          const Reading& reading, void* target) const {
  const Environment* environment = reading.environment;
  if (environment != nullptr) {
    const std::optional<Node> value =
        FromEnvironment(field.notes.environment, *environment, node.place());
    if (value.has_value()) {
      if (field.notes.secret) reading.faults.Hide(value->text());
      return field.read(*value, {field.key, field.notes}, reading, target);
    }
  }
  if (field.required) {
    if (std::find(given.meant.begin(), given.meant.end(), field.key) != given.meant.end())
      return false;
    const auto null = given.nulls.find(field.key);
    const bool is_empty = null != given.nulls.end();
    const std::string& example = field.notes.example;
    const bool one_line = !example.empty() && example.find('\n') == std::string::npos;
    reading.faults.Add(is_empty ? null->second : node.place(),
                       fmt::format("key '{}' of {} is {}", field.key, WithArticle(noun_),
                                   is_empty ? "empty" : "missing"),
                       one_line ? fmt::format("write, for example, {}: {}", field.key, example)
                                : "it says " + AsClause(field.meaning));
    return false;
  }
  if (environment != nullptr && field.reads_absent) {
    Node nothing = Node::Mapping();
    nothing.set_place(node.place());
    return field.read(nothing, {field.key, field.notes}, reading, target);
  }
  return true;
}

bool AnyShape::ReadField(const Field& field, const Node& node, const Given& given,
                         const Reading& reading, void* target) const {
  const auto found = given.values.find(field.key);
  if (found == given.values.end()) return ReadAbsent(field, node, given, reading, target);
  const Node& value = *found->second.node;
  if (value.is_broken()) return false;
  if (field.notes.secret) HideAll(value, reading.faults);
  if (field.required && value.is_scalar() && value.text().empty()) {
    reading.faults.Add(value.place(),
                       fmt::format("key '{}' of {} is empty", field.key, WithArticle(noun_)),
                       "it says " + AsClause(field.meaning));
    return false;
  }
  return field.read(value, {field.key, field.notes}, reading, target);
}

void AnyShape::CheckGroups(const Node& node, const Given& given, const Reading& reading) const {
  const auto check = [&](const std::vector<std::string>& keys, bool need_one) {
    std::vector<std::string> present;
    for (const std::string& key : keys) {
      if (given.values.contains(key)) present.push_back(key);
    }
    const auto meant = [&](const std::string& key) {
      return std::find(given.meant.begin(), given.meant.end(), key) != given.meant.end();
    };
    if (present.size() > 1) {
      const auto place = [&](const std::string& key) {
        return given.values.find(key)->second.key_place;
      };
      const std::string& last =
          *std::max_element(present.begin(), present.end(), [&](const auto& a, const auto& b) {
            return std::pair(place(a).line, place(a).column) <
                   std::pair(place(b).line, place(b).column);
          });
      reading.faults.Add(place(last), QuotedKeys(present, "and") + " can't be given together",
                         "keep one");
    } else if (need_one && present.empty() && std::none_of(keys.begin(), keys.end(), meant)) {
      reading.faults.Add(node.place(),
                         fmt::format("{} needs {}", WithArticle(noun_), QuotedKeys(keys, "or")),
                         "add one");
    }
  };
  for (const auto& keys : exactly_one_of_) check(keys, true);
  for (const auto& keys : at_most_one_of_) check(keys, false);
}

void AnyShape::ReadInto(const Node& node, const Reading& reading, void* target) const {
  if (node.is_broken()) return;
  if (!node.is_mapping() && !node.is_null()) {
    reading.faults.Add(node.place(),
                       fmt::format("{} is a mapping of keys to values, not {}", WithArticle(noun_),
                                   node.is_sequence() ? "a list" : "a single value"),
                       "write its keys as 'key: value' lines, indented");
    return;
  }
  const size_t before = reading.faults.size();
  const Given given = MatchKeys(node, reading);
  std::vector<std::string> failed;
  for (const Field& field : fields_) {
    if (!ReadField(field, node, given, reading, target)) failed.push_back(field.key);
  }
  CheckGroups(node, given, reading);
  const bool whole = reading.faults.size() == before;
  for (const Rule& rule : rules_) {
    const bool may_run = rule.key.empty()
                             ? whole
                             : std::find(failed.begin(), failed.end(), rule.key) == failed.end();
    if (may_run) rule.check(target, node, reading);
  }
}

Node AnyShape::WriteFrom(const void* source) const {
  Node node = Node::Mapping();
  for (const Field& field : fields_) {
    std::optional<Node> value = field.write(source);
    if (value.has_value()) node.Set(field.key, *std::move(value));
  }
  return node;
}

ShapeDescription AnyShape::Describe() const {
  ShapeDescription description{noun_, meaning_, {}, exactly_one_of_, at_most_one_of_};
  for (const Field& field : fields_) {
    OptionDescription option;
    option.key = field.key;
    option.meaning = field.meaning;
    option.type = field.describe(field.notes);
    option.required = field.required;
    const bool has_default =
        !field.required && !field.notes.secret && field.notes.default_text.empty();
    if (has_default) option.default_value = field.default_value();
    if (option.default_value.has_value() && IsEmpty(*option.default_value))
      option.default_value.reset();
    option.default_text = field.notes.default_text;
    option.environment = field.notes.environment;
    option.example = field.notes.example;
    option.aliases = field.notes.aliases;
    option.secret = field.notes.secret;
    description.options.push_back(std::move(option));
  }
  return description;
}

const Part* Parts::Find(std::string_view name) const {
  for (const Part& part : parts) {
    if (part.name == name) return &part;
  }
  return nullptr;
}

}  // namespace calve::config
