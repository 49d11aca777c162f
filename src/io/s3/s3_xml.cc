#include "io/s3/s3_xml.h"

#include <charconv>
#include <cstdint>

#include "base/text.h"

namespace calve::io {
namespace {

void AppendUtf8(std::string& out, uint32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += {static_cast<char>(0xc0 | c >> 6), static_cast<char>(0x80 | (c & 63))};
  } else if (c < 0x10000) {
    out += {static_cast<char>(0xe0 | c >> 12), static_cast<char>(0x80 | (c >> 6 & 63)),
            static_cast<char>(0x80 | (c & 63))};
  } else {
    out += {static_cast<char>(0xf0 | c >> 18), static_cast<char>(0x80 | (c >> 12 & 63)),
            static_cast<char>(0x80 | (c >> 6 & 63)), static_cast<char>(0x80 | (c & 63))};
  }
}

/// Append what the entity (the text between & and ;) stands for. False when it is none that we
/// know.
bool AppendEntity(std::string& out, std::string_view entity) {
  if (entity == "amp") return out += '&', true;
  if (entity == "lt") return out += '<', true;
  if (entity == "gt") return out += '>', true;
  if (entity == "quot") return out += '"', true;
  if (entity == "apos") return out += '\'', true;
  if (!entity.starts_with('#')) return false;
  const bool hex = entity.size() > 1 && (entity[1] == 'x' || entity[1] == 'X');
  const std::string_view digits = entity.substr(hex ? 2 : 1);
  uint32_t code = 0;
  const char* const end = digits.data() + digits.size();
  const auto parsed = std::from_chars(digits.data(), end, code, hex ? 16 : 10);
  if (parsed.ec != std::errc() || parsed.ptr != end || code > 0x10ffff) return false;
  AppendUtf8(out, code);
  return true;
}

std::string Decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const size_t end = text[i] == '&' ? text.find(';', i) : std::string_view::npos;
    if (end != std::string_view::npos && AppendEntity(out, text.substr(i + 1, end - i - 1))) {
      i = end;
    } else {
      out += text[i];
    }
  }
  return out;
}

struct Found {
  std::string_view inside;
  size_t end = 0;  // behind the closing tag
};

/// The first element `name` from `from` on.
std::optional<Found> FindElement(std::string_view xml, std::string_view name, size_t from) {
  const std::string closing = "</" + std::string(name) + ">";
  while ((from = xml.find('<', from)) != std::string_view::npos) {
    ++from;
    if (xml.substr(from, name.size()) != name) continue;
    const size_t behind = from + name.size();
    if (behind >= xml.size() || (xml[behind] != '>' && xml[behind] != ' ' && xml[behind] != '/'))
      continue;
    const size_t bracket = xml.find('>', behind);
    if (bracket == std::string_view::npos) return std::nullopt;
    if (xml[bracket - 1] == '/') return Found{"", bracket + 1};
    const size_t close = xml.find(closing, bracket);
    if (close == std::string_view::npos) return std::nullopt;
    return Found{xml.substr(bracket + 1, close - bracket - 1), close + closing.size()};
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> XmlText(std::string_view xml, std::string_view name) {
  const std::optional<Found> found = FindElement(xml, name, 0);
  return found ? std::optional(Decoded(found->inside)) : std::nullopt;
}

std::vector<std::string_view> XmlElements(std::string_view xml, std::string_view name) {
  std::vector<std::string_view> all;
  size_t from = 0;
  while (true) {
    const std::optional<Found> found = FindElement(xml, name, from);
    if (!found) break;
    all.push_back(found->inside);
    from = found->end;
  }
  return all;
}

bool XmlIsWhole(std::string_view xml) {
  xml = Trim(xml);
  while (xml.starts_with("<?")) {
    const size_t end = xml.find("?>");
    if (end == std::string_view::npos) return false;
    xml = Trim(xml.substr(end + 2));
  }
  if (!xml.starts_with('<') || !xml.ends_with('>')) return false;
  const std::string_view name = xml.substr(1, xml.find_first_of(" \t\r\n/>") - 1);
  return xml.find('>') == xml.size() - 1 ? xml.ends_with("/>")
                                         : xml.ends_with("</" + std::string(name) + ">");
}

std::optional<std::string> XmlEscaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '\r':
        out += "&#13;";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n') return std::nullopt;
        out += c;
    }
  }
  return out;
}

}  // namespace calve::io
