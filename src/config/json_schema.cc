#include <nlohmann/json.hpp>

#include <charconv>
#include <map>

#include "config/document.h"
#include "config/option.h"

namespace calve::config {

namespace {

using Json = nlohmann::ordered_json;
using Form = TypeDescription::Form;

/// A tree as JSON, scalars by YAML's core schema.
Json ToJson(const Node& node) {
  if (node.is_sequence()) {
    Json list = Json::array();
    for (const Node& item : node.items()) list.push_back(ToJson(item));
    return list;
  }
  if (node.is_mapping()) {
    Json object = Json::object();
    for (const Node::Entry& entry : node.entries()) object[entry.key] = ToJson(entry.value);
    return object;
  }
  const std::string& text = node.text();
  const CoreType type = CoreTypeOf(node);
  if (type == CoreType::kNull) return nullptr;
  if (type == CoreType::kBool) return text[0] == 't' || text[0] == 'T';
  if (type == CoreType::kInteger) {
    int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc() && end == text.data() + text.size()) return value;
  }
  if (type == CoreType::kFloat) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc() && end == text.data() + text.size()) return value;
  }
  return text;
}

/// Builds one schema; shapes within it become $defs, so that a shape may contain itself.
class SchemaBuilder {
 public:
  Json Build(const ShapeDescription& shape, const SchemaOptions& options) {
    Json schema;
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema";
    if (!options.id.empty()) schema["$id"] = options.id;
    schema["title"] = options.title.empty() ? shape.noun : options.title;
    schema.update(Object(shape));
    if (options.has_references) AddReferences(options.template_types, schema);
    if (!definitions_.empty()) schema["$defs"] = std::move(definitions_);
    return schema;
  }

 private:
  Json Object(const ShapeDescription& shape) {
    Json object;
    if (!shape.meaning.empty()) object["description"] = shape.meaning;
    object["type"] = "object";
    object["properties"] = Json::object();
    Json required = Json::array();
    for (const OptionDescription& option : shape.options) {
      object["properties"][option.key] = Property(option);
      for (const std::string& alias : option.aliases) {
        Json older = Property(option);
        older["description"] = "The older name of " + option.key + ".";
        older["deprecated"] = true;
        object["properties"][alias] = std::move(older);
      }
      // What a variable may give need not stand in the file; an editor has no way to know.
      if (option.required && option.environment.empty()) required.push_back(option.key);
    }
    if (!required.empty()) object["required"] = std::move(required);
    AddGroups(shape, object);
    object["additionalProperties"] = false;
    return object;
  }

  /// Let a template give what is required, and a source stand in another file.
  static void AddReferences(const std::vector<std::string>& types, Json& schema) {
    const Json name = {{"type", "string"}};
    Json properties = schema["properties"];
    properties["template"] = {
        {"description", "The template in config/templates that it is made of."},
        {"type", "string"}};
    properties["with"] = {{"description", "What the template is told."}, {"type", "object"}};
    Json source = properties["source"];
    source["oneOf"].push_back(
        {{"type", "object"},
         {"properties", {{"template", name}, {"with", {{"type", "object"}}}, {"ref", name}}},
         {"anyOf", Json::array({{{"required", Json::array({"ref"})}},
                                {{"required", Json::array({"template"})}}})}});
    // What a template has is not known here.
    properties["source"] = {{"description", source["description"]}, {"type", "object"}};
    Json made = Json::array({{{"required", Json::array({"template"})}}});
    for (const std::string& type : types)
      made.push_back(
          {{"properties", {{"type", {{"const", type}}}}}, {"required", Json::array({"type"})}});
    Json whole = {{"properties", {{"with", false}, {"source", std::move(source)}}}};
    if (schema.contains("required")) whole["required"] = schema["required"];
    schema.erase("required");
    schema["properties"] = std::move(properties);
    schema["if"] = {{"anyOf", std::move(made)}};
    schema["else"] = std::move(whole);
  }

  static void AddGroups(const ShapeDescription& shape, Json& object) {
    Json all = Json::array();
    for (const auto& keys : shape.exactly_one_of) {
      Json one = Json::array();
      for (const std::string& key : keys) one.push_back({{"required", {key}}});
      all.push_back({{"oneOf", std::move(one)}});
    }
    for (const auto& keys : shape.at_most_one_of) {
      for (size_t i = 0; i < keys.size(); ++i) {
        for (size_t k = i + 1; k < keys.size(); ++k) {
          all.push_back({{"not", {{"required", {keys[i], keys[k]}}}}});
        }
      }
    }
    if (!all.empty()) object["allOf"] = std::move(all);
  }

  Json Property(const OptionDescription& option) {
    Json property;
    property["description"] = Description(option);
    property.update(Type(option.type));
    if (option.default_value.has_value()) property["default"] = ToJson(*option.default_value);
    if (!option.example.empty()) {
      const Result<Node> example = ParseYaml(option.example, "example");
      if (example.ok()) property["examples"] = Json::array({ToJson(*example)});
    }
    if (option.secret) property["writeOnly"] = true;
    return property;
  }

  static std::string Description(const OptionDescription& option) {
    std::string text = option.meaning;
    for (const NameDescription& name : option.type.names) {
      if (!name.meaning.empty()) text += "\n" + name.name + ": " + name.meaning;
    }
    if (!option.default_text.empty()) text += "\nDefault: " + option.default_text + ".";
    if (!option.environment.empty())
      text += "\nWhen not given: the environment variable " + option.environment + ".";
    return text;
  }

  /// The schema, or a text with ${...} in it.
  Json OrFilled(Json schema) {
    definitions_["filled"] = {{"description", "Filled in from the environment or a file."},
                              {"type", "string"},
                              {"pattern", "\\$\\{.+\\}"}};
    Json any;
    any["anyOf"] = Json::array({std::move(schema), {{"$ref", "#/$defs/filled"}}});
    return any;
  }

  static Json Ranged(Json schema, const TypeDescription& type) {
    if (type.min.has_value()) schema["minimum"] = Number(*type.min);
    if (type.max.has_value()) schema["maximum"] = Number(*type.max);
    return schema;
  }

  static Json Number(double value) {
    const auto whole = static_cast<int64_t>(value);
    return static_cast<double>(whole) == value ? Json(whole) : Json(value);
  }

  Json Type(const TypeDescription& type) {
    switch (type.form) {
      case Form::kBool:
        return OrFilled({{"type", "boolean"}});
      case Form::kInteger:
        return OrFilled(Ranged({{"type", "integer"}}, type));
      case Form::kNumber:
        return OrFilled(Ranged({{"type", "number"}}, type));
      case Form::kText:
        return {{"type", {"string", "number", "boolean"}}};
      case Form::kCharacter:
        return {{"type", {"string", "number"}}};
      case Form::kName:
        return Names(type);
      case Form::kDuration:
        return OrFilled({{"type", {"string", "integer"}},
                         {"pattern", R"(^(0|([0-9]+(\.[0-9]+)? ?(us|ms|s|m|h|d|w) ?)+)$)"},
                         {"maximum", 0}});
      case Form::kBytes:
        return OrFilled({{"type", {"string", "integer"}},
                         {"pattern", R"(^[0-9]+(\.[0-9]+)? ?([kKMGT]i?)?B?$)"},
                         {"minimum", 0}});
      case Form::kFraction:
        return OrFilled(Ranged({{"type", {"number", "string"}},
                                {"pattern", R"(^[0-9]+(\.[0-9]+)? ?%$)"},
                                {"minimum", 0}},
                               type));
      case Form::kList:
        return {{"type", "array"}, {"items", Type(*type.item)}};
      case Form::kMap:
        return {{"type", "object"}, {"additionalProperties", Type(*type.item)}};
      case Form::kShape: {
        const ShapeDescription shape = type.shape();
        return Reference(shape.noun, [&] { return Object(shape); });
      }
      case Form::kPart:
        return PartSchema(*type.parts);
      case Form::kAny:
        return Json::object();
    }
    return Json::object();
  }

  Json Names(const TypeDescription& type) {
    Json names = Json::array();
    for (const NameDescription& name : type.names) names.push_back(name.name);
    return OrFilled({{"enum", std::move(names)}});
  }

  template <typename Make>
  Json Reference(const std::string& noun, Make make) {
    std::string name = noun;
    for (char& c : name) {
      if (c == ' ') c = '_';
    }
    if (!definitions_.contains(name)) {
      definitions_[name] =
          Json::object();  // Stands in for itself while it is made: a shape may contain itself.
      Json made = make();
      definitions_[name] = std::move(made);
    }
    return {{"$ref", "#/$defs/" + name}};
  }

  Json PartSchema(const Parts& parts) {
    Json branches = Json::array();
    for (const Part& part : parts.parts) {
      const ShapeDescription shape = part.shape->Describe();
      branches.push_back(Reference(parts.noun + ' ' + part.name,
                                   [&] { return WithType(parts, part.name, Object(shape)); }));
    }
    for (const PartFamily& family : parts.families) {
      Json members = Json::array();
      for (const Part& part : parts.parts) members.push_back(part.name);
      branches.push_back(
          {{"type", "object"},
           {"properties",
            {{parts.key, {{"const", family.name}}}, {family.key, {{"enum", std::move(members)}}}}},
           {"required", {parts.key, family.key}}});
    }
    return {{"oneOf", std::move(branches)}};
  }

  /// A part's object with the key that names it, first; required unless it is the default.
  static Json WithType(const Parts& parts, const std::string& name, Json object) {
    Json properties;
    properties[parts.key] = {{"const", name}};
    properties.update(object["properties"]);
    object["properties"] = std::move(properties);
    if (parts.default_name == name) return object;
    Json required = Json::array({parts.key});
    if (object.contains("required"))
      required.insert(required.end(), object["required"].begin(), object["required"].end());
    object["required"] = std::move(required);
    return object;
  }

  Json definitions_;
};

}  // namespace

std::string JsonSchema(const ShapeDescription& shape, const SchemaOptions& options) {
  return SchemaBuilder().Build(shape, options).dump(2) + '\n';
}

}  // namespace calve::config
