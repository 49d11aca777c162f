#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "avro/json_limits.h"
#include "avro/schema.h"
#include "avro/schema_facts.h"
#include "base/text.h"

namespace calve::avro {

using Json = nlohmann::ordered_json;

namespace {

constexpr int kJsonLevelsMax = 1000;

std::optional<Kind> PrimitiveKind(std::string_view name) {
  for (int kind = 0; kind <= static_cast<int>(Kind::kString); ++kind) {
    if (ToString(static_cast<Kind>(kind)) == name) return static_cast<Kind>(kind);
  }
  return std::nullopt;
}

bool IsAnyOf(std::string_view text, std::initializer_list<std::string_view> words) {
  for (std::string_view word : words) {
    if (word == text) return true;
  }
  return false;
}

/// Give a name that has no namespace of its own the one around it.
std::string Qualify(std::string_view name, std::string_view name_space) {
  if (name_space.empty() || name.find('.') != std::string_view::npos) return std::string(name);
  return std::string(name_space) + "." + std::string(name);
}

}  // namespace

/// Walks a schema's JSON once, from the outside in, and makes nodes.
class SchemaParser {
 public:
  Result<Schema> Parse(const Json& json) {
    CALVE_ASSIGN_OR_RETURN(Node * root, ParseType(json, "", 1));
    return builder_.Take(root);
  }

 private:
  Error Fault(std::string_view what) const {
    std::string place;
    for (const std::string& step : path_) place += (place.empty() ? "" : ".") + step;
    return DataError("Avro schema" + (place.empty() ? "" : " at " + place) + ": " +
                     std::string(what));
  }

  Result<Node*> ParseType(const Json& json, const std::string& name_space, int depth) {
    if (depth > Schema::kDepthMax) {
      return Fault("expected at most " + std::to_string(Schema::kDepthMax) +
                   " levels of types, found more");
    }
    if (json.is_string()) return ParseName(json.get_ref<const std::string&>(), name_space);
    if (json.is_array()) return ParseUnion(json, name_space, depth);
    if (!json.is_object()) return Fault("expected a type (text, list or object)");
    const auto type = json.find("type");
    if (type == json.end()) return Fault("expected \"type\" in the object that describes a type");
    if (!type->is_string()) return ParseNested(json, *type, name_space, depth);
    const std::string& word = type->get_ref<const std::string&>();
    if (word == "record") return ParseRecord(json, name_space, depth);
    if (word == "enum") return ParseEnum(json, name_space);
    if (word == "fixed") return ParseFixed(json, name_space);
    if (word == "array") return ParseContainer(json, Kind::kArray, "items", name_space, depth);
    if (word == "map") return ParseContainer(json, Kind::kMap, "values", name_space, depth);
    CALVE_ASSIGN_OR_RETURN(Node * node, ParseName(word, name_space));
    if (!node->is_named()) KeepAttributes(json, {"type"}, node);
    return node;
  }

  /// Parse {"type": {...}, ...}: the outer attributes belong to the inner type.
  Result<Node*> ParseNested(const Json& json, const Json& inner, const std::string& name_space,
                            int depth) {
    CALVE_ASSIGN_OR_RETURN(Node * node, ParseType(inner, name_space, depth + 1));
    if (!node->is_named()) KeepAttributes(json, {"type"}, node);
    return node;
  }

  Result<Node*> ParseName(const std::string& name, const std::string& name_space) {
    if (const std::optional<Kind> kind = PrimitiveKind(name)) return builder_.New(*kind);
    for (const std::string& full_name : {Qualify(name, name_space), name}) {
      const auto found = named_.find(full_name);
      if (found != named_.end()) return found->second;
    }
    std::vector<std::string> known = {"null",   "boolean", "int",    "long",   "float",
                                      "double", "bytes",   "string", "record", "enum",
                                      "array",  "map",     "fixed"};
    for (const auto& [full_name, node] : named_) known.push_back(full_name);
    return Fault("expected a type, found the unknown name " + Quote(name) +
                 DidYouMean(name, known));
  }

  Result<Node*> ParseUnion(const Json& json, const std::string& name_space, int depth) {
    Node* node = builder_.New(Kind::kUnion);
    std::set<std::string> seen;
    for (const Json& branch_json : json) {
      CALVE_ASSIGN_OR_RETURN(Node * branch, ParseType(branch_json, name_space, depth + 1));
      if (branch->kind == Kind::kUnion)
        return Fault("expected a plain type in a union, found a union");
      // The blank keeps a named type apart from an unnamed kind of the same name.
      const std::string key =
          branch->is_named() ? " " + branch->full_name() : std::string(ToString(branch->kind));
      if (!seen.insert(key).second) {
        return Fault("expected a union of different types, found " + Quote(Trim(key)) + " twice");
      }
      node->branches.push_back(branch);
    }
    if (node->branches.empty()) return Fault("expected a union of types, found an empty list");
    return node;
  }

  Result<Node*> ParseContainer(const Json& json, Kind kind, const char* member,
                               const std::string& name_space, int depth) {
    const auto element = json.find(member);
    if (element == json.end()) {
      return Fault("expected \"" + std::string(member) + "\" in the " +
                   std::string(ToString(kind)));
    }
    Node* node = builder_.New(kind);
    path_.emplace_back(member);
    CALVE_ASSIGN_OR_RETURN(node->element, ParseType(*element, name_space, depth + 1));
    path_.pop_back();
    KeepAttributes(json, {"type", member}, node);
    return node;
  }

  Result<Node*> ParseRecord(const Json& json, const std::string& name_space, int depth) {
    CALVE_ASSIGN_OR_RETURN(Node * node, ParseNamed(json, Kind::kRecord, name_space));
    const auto fields = json.find("fields");
    if (fields == json.end() || !fields->is_array()) {
      return Fault("expected \"fields\", a list, in record " + Quote(node->full_name()));
    }
    path_.push_back(node->name);
    std::set<std::string> names;
    for (const Json& field_json : *fields) {
      CALVE_ASSIGN_OR_RETURN(Field field, ParseField(field_json, node->name_space, depth));
      if (!names.insert(field.name).second) {
        return Fault("expected unique field names, found " + Quote(field.name) + " twice");
      }
      node->fields.push_back(std::move(field));
    }
    path_.pop_back();
    KeepAttributes(json, {"type", "name", "namespace", "aliases", "fields"}, node);
    return node;
  }

  Result<Field> ParseField(const Json& json, const std::string& name_space, int depth) {
    const auto name = json.is_object() ? json.find("name") : json.end();
    if (name == json.end() || !name->is_string()) return Fault("expected a field with a \"name\"");
    Field field;
    field.name = name->get<std::string>();
    path_.push_back(field.name);
    const auto type = json.find("type");
    if (type == json.end()) return Fault("expected a field with a \"type\"");
    CALVE_ASSIGN_OR_RETURN(field.type, ParseType(*type, name_space, depth + 1));
    path_.pop_back();
    for (const auto& [key, value] : json.items()) {
      if (IsAnyOf(key, {"name", "type"})) continue;
      if (key == "default") {
        field.default_json = value.dump();
      } else if (key == "aliases" && value.is_array()) {
        CALVE_ASSIGN_OR_RETURN(field.aliases, ParseTexts(value, "aliases"));
      } else {
        field.attributes.SetJson(key, value.dump());
      }
    }
    return field;
  }

  Result<Node*> ParseEnum(const Json& json, const std::string& name_space) {
    CALVE_ASSIGN_OR_RETURN(Node * node, ParseNamed(json, Kind::kEnum, name_space));
    const auto symbols = json.find("symbols");
    if (symbols == json.end() || !symbols->is_array()) {
      return Fault("expected \"symbols\", a list, in enum " + Quote(node->full_name()));
    }
    CALVE_ASSIGN_OR_RETURN(node->symbols, ParseTexts(*symbols, "symbols"));
    const std::set<std::string> unique(node->symbols.begin(), node->symbols.end());
    if (unique.size() != node->symbols.size() || unique.empty()) {
      return Fault("expected unique symbols in enum " + Quote(node->full_name()));
    }
    const auto fallback = json.find("default");
    if (fallback != json.end()) {
      if (!fallback->is_string() || !unique.contains(fallback->get<std::string>())) {
        return Fault("expected one of its symbols as default of enum " + Quote(node->full_name()));
      }
      node->enum_default = fallback->get<std::string>();
    }
    KeepAttributes(json, {"type", "name", "namespace", "aliases", "symbols", "default"}, node);
    return node;
  }

  Result<Node*> ParseFixed(const Json& json, const std::string& name_space) {
    CALVE_ASSIGN_OR_RETURN(Node * node, ParseNamed(json, Kind::kFixed, name_space));
    const auto size = json.find("size");
    if (size == json.end() || !size->is_number_integer() || *size < 0 || *size > INT32_MAX) {
      return Fault("expected \"size\", a number of bytes, in fixed " + Quote(node->full_name()));
    }
    node->size_bytes = size->get<int32_t>();
    KeepAttributes(json, {"type", "name", "namespace", "aliases", "size"}, node);
    return node;
  }

  /// Make a named type's node and make its name known, so that its fields can refer to it.
  Result<Node*> ParseNamed(const Json& json, Kind kind, const std::string& name_space) {
    const auto name = json.find("name");
    if (name == json.end() || !name->is_string() || name->get_ref<const std::string&>().empty()) {
      return Fault("expected a \"name\" for the " + std::string(ToString(kind)));
    }
    Node* node = builder_.New(kind);
    node->name = name->get<std::string>();
    node->name_space = name_space;
    const auto own_space = json.find("namespace");
    if (const size_t dot = node->name.rfind('.'); dot != std::string::npos) {
      node->name_space = node->name.substr(0, dot);
      node->name.erase(0, dot + 1);
    } else if (own_space != json.end() && own_space->is_string()) {
      node->name_space = own_space->get<std::string>();
    }
    const auto aliases = json.find("aliases");
    if (aliases != json.end() && !aliases->is_null()) {
      CALVE_ASSIGN_OR_RETURN(node->aliases, ParseTexts(*aliases, "aliases"));
      for (std::string& alias : node->aliases) alias = Qualify(alias, node->name_space);
    }
    const bool reserved = node->name_space.empty() && PrimitiveKind(node->name).has_value();
    if (reserved || node->name.empty()) {
      return Fault("expected a name of its own for the " + std::string(ToString(kind)) +
                   ", found " + Quote(node->name));
    }
    if (!named_.emplace(node->full_name(), node).second) {
      return Fault("expected each name once, found a second definition of " +
                   Quote(node->full_name()));
    }
    return node;
  }

  Result<std::vector<std::string>> ParseTexts(const Json& json, std::string_view what) const {
    std::vector<std::string> texts;
    for (const Json& text : json) {
      if (!json.is_array() || !text.is_string()) {
        return Fault("expected a list of texts as \"" + std::string(what) + "\"");
      }
      texts.push_back(text.get<std::string>());
    }
    return texts;
  }

  /// Keep everything but `known`: logicalType and a valid decimal's parameters as such, the rest as
  /// attributes.
  static void KeepAttributes(const Json& json, std::initializer_list<std::string_view> known,
                             Node* node) {
    const auto logical_type = json.find("logicalType");
    if (logical_type != json.end() && logical_type->is_string()) {
      node->logical_type = logical_type->get<std::string>();
      if (node->logical_type == "decimal") node->decimal = ParseDecimal(json, *node);
    }
    for (const auto& [key, value] : json.items()) {
      if (IsAnyOf(key, known) || (key == "logicalType" && value.is_string())) continue;
      if (node->decimal && IsAnyOf(key, {"precision", "scale"})) continue;
      node->attributes.SetJson(key, value.dump());
    }
  }

  static std::optional<Decimal> ParseDecimal(const Json& json, const Node& node) {
    const auto number = [&](const char* member, int absent) {
      const auto found = json.find(member);
      if (found == json.end()) return absent;
      const bool fits = found->is_number_integer() && *found >= 0 && *found <= INT32_MAX;
      return fits ? found->get<int>() : -1;
    };
    const Decimal decimal{.precision = number("precision", -1), .scale = number("scale", 0)};
    if (!IsValidDecimal(node, decimal)) return std::nullopt;
    return decimal;
  }

  SchemaBuilder builder_;
  std::map<std::string, Node*> named_;
  std::vector<std::string> path_;
};

Result<Schema> Schema::Parse(std::string_view text) {
  if (!NestsAtMost(text, kJsonLevelsMax)) {
    return DataError("Avro schema: expected at most " + std::to_string(kDepthMax) +
                     " levels of types, found more");
  }
  // A bare word is how some registries give a primitive: int instead of "int".
  const Json json = PrimitiveKind(Trim(text))
                        ? Json(Trim(text))
                        : Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) {
    return DataError("Avro schema: expected JSON, found " + Quote(text.substr(0, 80)));
  }
  return SchemaParser().Parse(json);
}

}  // namespace calve::avro
