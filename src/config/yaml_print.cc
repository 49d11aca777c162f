#include <fmt/format.h>

#include <algorithm>

#include "config/yaml.h"

namespace calve::config {

namespace {

/// Whether a text can stand without quotes, anywhere, and reads back as the same text.
bool IsPlain(std::string_view text, bool in_flow) {
  if (text.empty() || text.front() == ' ' || text.back() == ' ' || text == "<<") return false;
  if (std::string_view("-?:,[]{}#&*!|>'\"%@`").find(text.front()) != std::string_view::npos) {
    const bool dash = text.front() == '-' && text.size() > 1 && text[1] != ' ' && text[1] != '-';
    if (!dash) return false;
  }
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte >= 0x7F) return false;
    if (text[i] == ':' && (in_flow || i + 1 == text.size() || text[i + 1] == ' ')) {
      const bool place = in_flow && i + 2 < text.size() && text[i + 1] == '/' && text[i + 2] == '/';
      if (!place) return false;
    }
    if (text[i] == '#' && i > 0 && text[i - 1] == ' ') return false;
    if (in_flow && std::string_view(",[]{}?").find(text[i]) != std::string_view::npos) return false;
  }
  return true;
}

std::string DoubleQuoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (c == '\n') {
      quoted += "\\n";
    } else if (c == '\t') {
      quoted += "\\t";
    } else if (byte < 0x20 || byte == 0x7F) {
      quoted += fmt::format("\\x{:02x}", byte);
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

std::string ScalarText(const Node& node, bool in_flow) {
  const std::string& text = node.written();
  if (!node.quoted() && text.empty()) return in_flow ? "null" : "";
  const bool must_quote = node.quoted() && CoreTypeOf(Node::Scalar(text)) != CoreType::kText;
  if (!must_quote && IsPlain(text, in_flow)) return text;
  // Characters such as U+0085 break a line or are refused when they stand bare, so they are written
  // as escapes.
  std::string escaped;
  const std::string quoted = DoubleQuoted(text);
  for (size_t i = 0; i < quoted.size(); ++i) {
    const std::string_view rest = std::string_view(quoted).substr(i);
    const auto second = rest.size() > 1 ? static_cast<unsigned char>(rest[1]) : 0U;
    if (rest.starts_with("\xC2") && second < 0xA0) {
      escaped += fmt::format("\\x{:02x}", second);
      i += 1;
    } else if (rest.starts_with("\xE2\x80\xA8") || rest.starts_with("\xE2\x80\xA9")) {
      escaped += rest[2] == '\xA8' ? "\\u2028" : "\\u2029";
      i += 2;
    } else if (rest.starts_with("\xEF\xBB\xBF") || rest.starts_with("\xEF\xBF\xBE") ||
               rest.starts_with("\xEF\xBF\xBF")) {
      escaped += rest[1] == '\xBB' ? "\\ufeff" : rest[2] == '\xBE' ? "\\ufffe" : "\\uffff";
      i += 2;
    } else {
      escaped += quoted[i];
    }
  }
  return escaped;
}

/// Whether a text of several lines reads well, and reads back, as a literal block.
bool IsBlock(const Node& node) {
  const std::string& text = node.written();
  const size_t end = text.find_last_not_of('\n');
  if (text.find('\n') == std::string::npos || end == std::string::npos || end + 2 < text.size())
    return false;
  if (text.front() == ' ' || text.front() == '\n') return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte >= 0x20 && byte < 0x7F) || c == '\n';
  });
}

std::string BlockText(const std::string& text, int indent) {
  std::string block = text.ends_with('\n') ? "|\n" : "|-\n";
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find('\n', start), text.size());
    if (end > start)
      block += std::string(static_cast<size_t>(indent), ' ') + text.substr(start, end - start);
    block += '\n';
    start = end + 1;
  }
  return block;
}

std::string KeyText(const std::string& key, bool in_flow) {
  if (key.size() <= 128) return ScalarText(Node::Scalar(key, key == "<<" || key.empty()), in_flow);
  return "? " + ScalarText(Node::Scalar(key, true), in_flow);
}

bool IsEmptyCollection(const Node& node) {
  return (node.is_sequence() && node.items().empty()) ||
         (node.is_mapping() && node.entries().empty());
}

void PrintBlock(const Node& node, int indent, std::string& out);

/// Print what follows "key:" or "-", with its leading space or line break.
void PrintValue(const Node& value, int indent, std::string& out) {
  if (value.is_scalar() && IsBlock(value)) {
    out += ' ' + BlockText(value.written(), indent);
  } else if (value.is_scalar() || IsEmptyCollection(value)) {
    const std::string text = value.is_scalar() ? ScalarText(value, false) : ToFlowYaml(value);
    out += text.empty() ? "\n" : ' ' + text + '\n';
  } else {
    out += '\n';
    PrintBlock(value, indent, out);
  }
}

void PrintBlock(const Node& node, int indent, std::string& out) {
  const std::string margin(static_cast<size_t>(indent), ' ');
  for (const Node& item : node.items()) {
    out += margin + '-';
    PrintValue(item, indent + 2, out);
  }
  for (const Node::Entry& entry : node.entries()) {
    const std::string key = KeyText(entry.key, false);
    out += margin + key + (key.starts_with("? ") ? '\n' + margin + ':' : ":");
    PrintValue(entry.value, indent + 2, out);
  }
}

}  // namespace

std::string ToYaml(const Node& node, int indent) {
  std::string out;
  if (node.is_scalar() || IsEmptyCollection(node)) return ToFlowYaml(node) + '\n';
  PrintBlock(node, indent, out);
  return out;
}

std::string ToFlowYaml(const Node& node) {
  if (node.is_scalar()) return ScalarText(node, true);
  std::string out;
  for (const Node& item : node.items()) out += (out.empty() ? "" : ", ") + ToFlowYaml(item);
  for (const Node::Entry& entry : node.entries()) {
    out += (out.empty() ? "" : ", ") + KeyText(entry.key, true) + ": " + ToFlowYaml(entry.value);
  }
  return node.is_sequence() ? '[' + out + ']' : '{' + out + '}';
}

}  // namespace calve::config
