#include <nlohmann/json.hpp>
#include <unordered_set>

#include "avro/schema.h"
#include "base/text.h"

namespace calve::avro {
namespace {

/// Prints a schema, each named type whole once.
class Printer {
 public:
  std::string Print(const Node& node) {
    PrintType(node, "");
    return std::move(out_);
  }

 private:
  void PrintType(const Node& node, const std::string& name_space) {
    switch (node.kind) {
      case Kind::kUnion:
        return PrintUnion(node, name_space);
      case Kind::kRecord:
      case Kind::kEnum:
      case Kind::kFixed:
        return PrintNamed(node, name_space);
      case Kind::kArray:
        return PrintContainer(node, "items", name_space);
      case Kind::kMap:
        return PrintContainer(node, "values", name_space);
      default:
        return PrintPrimitive(node);
    }
  }

  void PrintPrimitive(const Node& node) {
    if (node.logical_type.empty() && node.attributes.empty()) return Text(ToString(node.kind));
    out_ += "{\"type\":";
    Text(ToString(node.kind));
    PrintAttributes(node);
    out_ += '}';
  }

  void PrintUnion(const Node& node, const std::string& name_space) {
    // A union has no place for attributes of its own but an object around it.
    if (!node.attributes.empty() || !node.logical_type.empty()) out_ += "{\"type\":";
    out_ += '[';
    for (size_t i = 0; i < node.branches.size(); ++i) {
      if (i != 0) out_ += ',';
      PrintType(*node.branches[i], name_space);
    }
    out_ += ']';
    if (node.attributes.empty() && node.logical_type.empty()) return;
    PrintAttributes(node);
    out_ += '}';
  }

  void PrintContainer(const Node& node, std::string_view member, const std::string& name_space) {
    out_ += "{\"type\":";
    Text(ToString(node.kind));
    Member(member);
    PrintType(*node.element, name_space);
    PrintAttributes(node);
    out_ += '}';
  }

  void PrintNamed(const Node& node, const std::string& name_space) {
    const bool same_space = node.name_space == name_space;
    if (!printed_.insert(&node).second) {
      return Text(same_space ? node.name : node.full_name());
    }
    out_ += "{\"type\":";
    Text(ToString(node.kind));
    Member("name");
    Text(node.name);
    if (!same_space) {
      Member("namespace");
      Text(node.name_space);
    }
    if (!node.aliases.empty()) {
      Member("aliases");
      Texts(node.aliases);
    }
    if (node.kind == Kind::kRecord) PrintFields(node);
    if (node.kind == Kind::kEnum) {
      Member("symbols");
      Texts(node.symbols);
      if (node.enum_default) {
        Member("default");
        Text(*node.enum_default);
      }
    }
    if (node.kind == Kind::kFixed) {
      Member("size");
      out_ += std::to_string(node.size_bytes);
    }
    PrintAttributes(node);
    out_ += '}';
  }

  void PrintFields(const Node& record) {
    Member("fields");
    out_ += '[';
    for (size_t i = 0; i < record.fields.size(); ++i) {
      const Field& field = record.fields[i];
      out_ += i == 0 ? "{\"name\":" : ",{\"name\":";
      Text(field.name);
      Member("type");
      PrintType(*field.type, record.name_space);
      if (field.default_json) {
        Member("default");
        out_ += *field.default_json;
      }
      if (!field.aliases.empty()) {
        Member("aliases");
        Texts(field.aliases);
      }
      PrintEntries(field.attributes);
      out_ += '}';
    }
    out_ += ']';
  }

  void PrintAttributes(const Node& node) {
    if (!node.logical_type.empty()) {
      Member("logicalType");
      Text(node.logical_type);
    }
    if (node.decimal) {
      out_ += ",\"precision\":" + std::to_string(node.decimal->precision);
      out_ += ",\"scale\":" + std::to_string(node.decimal->scale);
    }
    PrintEntries(node.attributes);
  }

  void PrintEntries(const Attributes& attributes) {
    for (const auto& [name, json] : attributes.entries()) {
      Member(name);
      out_ += json;
    }
  }

  void Texts(const std::vector<std::string>& texts) {
    out_ += '[';
    for (size_t i = 0; i < texts.size(); ++i) {
      if (i != 0) out_ += ',';
      Text(texts[i]);
    }
    out_ += ']';
  }

  void Member(std::string_view name) {
    out_ += ',';
    Text(name);
    out_ += ':';
  }

  void Text(std::string_view text) {
    out_ += nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }

  std::string out_;
  std::unordered_set<const Node*> printed_;
};

}  // namespace

std::string Schema::ToJson() const { return Printer().Print(*root_); }

}  // namespace calve::avro
