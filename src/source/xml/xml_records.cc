#include "source/xml/xml_records.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace calve::source::xml {
namespace {

constexpr size_t kNodesMax = 2'000'000;
constexpr std::string_view kXml = "http://www.w3.org/XML/1998/namespace";
constexpr std::string_view kInstance = "http://www.w3.org/2001/XMLSchema-instance";

std::string_view PrefixOf(std::string_view name) {
  const size_t colon = name.find(':');
  return colon == std::string_view::npos ? std::string_view() : name.substr(0, colon);
}

std::string_view LocalOf(std::string_view name) { return name.substr(name.find(':') + 1); }

bool IsBlank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

/// Whether a text is a number as JSON writes them, so that it may stand bare and be what it was.
bool IsNumber(std::string_view text) {
  size_t at = 0;
  const auto digits = [&] {
    const size_t first = at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
    return at - first;
  };
  if (at < text.size() && text[at] == '-') ++at;
  const size_t first = at;
  const size_t whole = digits();
  if (whole == 0 || (whole > 1 && text[first] == '0') || whole > 400) return false;
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (digits() == 0) return false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
    if (digits() == 0) return false;
  }
  return at == text.size();
}

}  // namespace

void XmlRecords::Bind() {
  const size_t depth = tokens_.depth();
  for (const XmlTokens::Attribute& attribute : tokens_.attributes()) {
    if (attribute.name == "xmlns") {
      bindings_.push_back({.prefix = "", .uri = std::string(attribute.value), .depth = depth});
    } else if (attribute.name.starts_with("xmlns:")) {
      bindings_.push_back({.prefix = std::string(attribute.name.substr(6)),
                           .uri = std::string(attribute.value),
                           .depth = depth});
    }
  }
}

Result<std::string_view> XmlRecords::UriOf(std::string_view name) {
  const std::string_view prefix = PrefixOf(name);
  for (auto binding = bindings_.rbegin(); binding != bindings_.rend(); ++binding) {
    if (binding->prefix == prefix) return std::string_view(binding->uri);
  }
  if (prefix.empty()) return std::string_view();
  if (prefix == "xml") return kXml;
  return tokens_.Fault(
      "the prefix " + Quote(prefix.substr(0, 40)) +
      " is bound to no namespace; declare it as xmlns:" + std::string(prefix.substr(0, 40)));
}

/// Whether the element that has just begun is a record.
Result<bool> XmlRecords::IsRecord() {
  const size_t depth = tokens_.depth();
  const auto fits = [&](const XmlRecordPath::Step& step, std::string_view name,
                        std::string_view uri) {
    return LocalOf(name) == step.name && (!step.uri.has_value() || *step.uri == uri);
  };
  CALVE_ASSIGN_OR_RETURN(const std::string_view uri, UriOf(tokens_.name()));
  if (path_.is_anywhere) return fits(path_.steps.front(), tokens_.name(), uri);
  if (depth != path_.steps.size() || !fits(path_.steps.back(), tokens_.name(), uri)) return false;
  for (size_t i = 0; i + 1 < depth; ++i) {
    if (!fits(path_.steps[i], outer_[i], outer_uris_[i])) return false;
  }
  return true;
}

Result<bool> XmlRecords::Next() {
  while (true) {
    CALVE_ASSIGN_OR_RETURN(const XmlTokens::Kind kind, tokens_.Next());
    switch (kind) {
      case XmlTokens::Kind::kDone:
        return false;
      case XmlTokens::Kind::kText:
        break;
      case XmlTokens::Kind::kEnd:
        outer_.pop_back();
        outer_uris_.pop_back();
        Unbind();
        break;
      case XmlTokens::Kind::kStart: {
        Bind();
        CALVE_ASSIGN_OR_RETURN(const bool is_record, IsRecord());
        if (is_record) {
          CALVE_RETURN_IF_ERROR(ReadRecord());
          return true;
        }
        CALVE_ASSIGN_OR_RETURN(const std::string_view uri, UriOf(tokens_.name()));
        outer_.emplace_back(tokens_.name());
        outer_uris_.emplace_back(uri);
        break;
      }
    }
  }
}

void XmlRecords::Unbind() {
  while (!bindings_.empty() && bindings_.back().depth > tokens_.depth()) bindings_.pop_back();
}

/// A name that stays where it is.
std::string_view XmlRecords::Keep(Names& names, std::string_view prefix, std::string_view name) {
  const auto known = names.find(name);
  if (known != names.end()) return *known->second;
  auto kept = std::make_unique<std::string>(std::string(prefix) + std::string(name));
  return *names.emplace(std::string(name), std::move(kept)).first->second;
}

int XmlRecords::AddNode(int parent, std::string_view name) {
  const int number = static_cast<int>(nodes_.size());
  nodes_.push_back({.name = name, .parent = parent});
  if (parent < 0) return number;
  Node& above = nodes_[static_cast<size_t>(parent)];
  if (above.last_child >= 0) {
    nodes_[static_cast<size_t>(above.last_child)].next = number;
  } else {
    above.first_child = number;
  }
  above.last_child = number;
  return number;
}

void XmlRecords::AddText(int number, std::string_view text) {
  Node& node = nodes_[static_cast<size_t>(number)];
  if (node.text_size > 0 && node.text + node.text_size != texts_.size()) {
    const size_t moved = texts_.size();
    texts_.append(texts_, node.text, node.text_size);
    node.text = moved;
  } else if (node.text_size == 0) {
    node.text = texts_.size();
  }
  texts_ += text;
  node.text_size += text.size();
}

Status XmlRecords::AddAttributes(int number) {
  for (const XmlTokens::Attribute& attribute : tokens_.attributes()) {
    if (attribute.name == "xmlns" || attribute.name.starts_with("xmlns:")) continue;
    if (!PrefixOf(attribute.name).empty()) {
      CALVE_ASSIGN_OR_RETURN(const std::string_view uri, UriOf(attribute.name));
      const std::string_view local = LocalOf(attribute.name);
      if (uri == kInstance && local == "nil") {
        nodes_[static_cast<size_t>(number)].is_null =
            attribute.value == "true" || attribute.value == "1";
      }
      // How a document is to be checked is none of its values.
      if (uri == kInstance && (local == "nil" || local.ends_with("chemaLocation"))) continue;
    }
    const int added =
        AddNode(number, Keep(attribute_names_, kAttributePrefix, LocalOf(attribute.name)));
    AddText(added, attribute.value);
  }
  return Status::Ok();
}

Status XmlRecords::ReadRecord() {
  line_ = tokens_.line();
  nodes_.clear();
  texts_.clear();
  const size_t depth = tokens_.depth();
  int current = AddNode(-1, Keep(names_, "", LocalOf(tokens_.name())));
  CALVE_RETURN_IF_ERROR(AddAttributes(current));
  while (true) {
    CALVE_ASSIGN_OR_RETURN(const XmlTokens::Kind kind, tokens_.Next());
    if (kind == XmlTokens::Kind::kText) {
      AddText(current, tokens_.text());
    } else if (kind == XmlTokens::Kind::kStart) {
      Bind();
      if (!PrefixOf(tokens_.name()).empty()) CALVE_RETURN_IF_ERROR(UriOf(tokens_.name()));
      current = AddNode(current, Keep(names_, "", LocalOf(tokens_.name())));
      CALVE_RETURN_IF_ERROR(AddAttributes(current));
      if (nodes_.size() > kNodesMax || texts_.size() > XmlTokens::kRecordBytesMax) {
        return tokens_.Fault("the record that begins in line " + FormatCount(line_) +
                             " is larger than a row can be; set record_path to a smaller element");
      }
    } else {
      Unbind();
      if (kind == XmlTokens::Kind::kDone || tokens_.depth() < depth) return Status::Ok();
      current = nodes_[static_cast<size_t>(current)].parent;
    }
  }
}

Status XmlRecords::Teach(XmlShape* shape) { return Teach(0, shape->root(), shape); }

Status XmlRecords::Teach(int number, XmlPlace& place, XmlShape* shape) {
  const Node& node = nodes_[static_cast<size_t>(number)];
  if (node.first_child >= 0) place.is_nested = true;
  std::map<int, int> counts;
  for (int child = node.first_child; child >= 0; child = nodes_[static_cast<size_t>(child)].next) {
    const int name = shape->Add(nodes_[static_cast<size_t>(child)].name);
    if (shape->places() > XmlShape::kPlacesMax) {
      return tokens_.Fault("the records have more than " +
                           FormatCount(static_cast<int64_t>(XmlShape::kPlacesMax)) +
                           " different elements, which no table holds; check record_path");
    }
    XmlPlace& below = shape->Below(place, name);
    if (++counts[name] > 1) below.repeats = true;
    CALVE_RETURN_IF_ERROR(Teach(child, below, shape));
  }
  return Status::Ok();
}

std::string_view XmlRecords::Print(const XmlShape& shape, std::string* misfit) {
  json_.clear();
  stamps_.resize(shape.places());
  PrintFields(0, &shape.root(), shape, misfit);
  return json_;
}

void XmlRecords::PrintKey(std::string_view key) {
  json_ += json_.back() == '{' ? "\"" : ",\"";
  json_ += key;  // No name has a character that JSON escapes.
  json_ += "\":";
}

void XmlRecords::PrintFields(int number, const XmlPlace* place, const XmlShape& shape,
                             std::string* misfit) {
  const uint64_t stamp = ++stamp_;
  const Node& node = nodes_[static_cast<size_t>(number)];
  json_ += '{';
  for (int child = node.first_child; child >= 0;) {
    Node& field = nodes_[static_cast<size_t>(child)];
    const int self = child;
    child = field.next;
    if (std::exchange(field.is_printed, true)) continue;
    const int name = place == nullptr ? -1 : shape.Find(field.name);
    const XmlPlace* below = name < 0 ? nullptr : place->Find(name);
    if (below != nullptr && below->repeats) {
      PrintKey(field.name);
      PrintList(self, *below, shape, misfit);
      continue;
    }
    if (below != nullptr && std::exchange(stamps_[below->number], stamp) == stamp) {
      if (misfit->empty()) {
        *misfit = "'" + std::string(field.name) +
                  "' stands several times in one element, and only once in the sample; name it in "
                  "lists, or raise sample";
      }
      continue;
    }
    PrintKey(field.name);
    PrintNode(self, below, shape, misfit);
  }
  const std::string_view text = TextOf(node);
  if (!IsBlank(text)) {
    PrintKey(kValueName);
    PrintText(text);
  }
  json_ += '}';
}

void XmlRecords::PrintList(int first, const XmlPlace& place, const XmlShape& shape,
                           std::string* misfit) {
  const std::string_view name = nodes_[static_cast<size_t>(first)].name;
  json_ += '[';
  for (int child = first; child >= 0; child = nodes_[static_cast<size_t>(child)].next) {
    Node& node = nodes_[static_cast<size_t>(child)];
    if (node.name.data() != name.data()) continue;  // Each name stands in one place.
    if (json_.back() != '[') json_ += ',';
    node.is_printed = true;
    PrintNode(child, &place, shape, misfit);
  }
  json_ += ']';
}

void XmlRecords::PrintNode(int number, const XmlPlace* place, const XmlShape& shape,
                           std::string* misfit) {
  const Node& node = nodes_[static_cast<size_t>(number)];
  const bool is_nested = node.first_child >= 0;
  if (node.is_null || (!is_nested && node.text_size == 0)) {
    json_ += "null";
  } else if (place == nullptr ? is_nested : place->is_nested) {
    PrintFields(number, place, shape, misfit);
  } else {
    if (is_nested && misfit->empty()) {
      *misfit = "'" + std::string(node.name) +
                "' has attributes or elements, and has none in the sample; raise sample";
    }
    PrintText(TextOf(node));
  }
}

void XmlRecords::PrintText(std::string_view text) {
  const std::string_view value = Trim(text);
  if (value == "true" || value == "false" || IsNumber(value)) {
    json_ += value;
    return;
  }
  json_ += '"';
  for (size_t at = 0; at < text.size();) {
    size_t next = at;
    while (next < text.size() && text[next] != '"' && text[next] != '\\' &&
           static_cast<unsigned char>(text[next]) >= 0x20)
      ++next;
    json_.append(text.substr(at, next - at));
    if (next < text.size()) {
      const std::string escaped = Quote(text.substr(next, 1));
      json_.append(escaped, 1, escaped.size() - 2);
      ++next;
    }
    at = next;
  }
  json_ += '"';
}

}  // namespace calve::source::xml
