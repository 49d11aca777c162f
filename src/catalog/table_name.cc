#include "base/text.h"
#include "catalog/catalog.h"

namespace calve::catalog {
namespace {

Status CheckLevel(std::string_view level, std::string_view whole) {
  const bool bad = level.empty() || level == "." || level == ".." ||
                   level.find_first_of(std::string_view("/\\\0", 3)) != std::string_view::npos ||
                   !IsValidUtf8(level);
  if (!bad) return Status::Ok();
  return ConfigError("'" + std::string(whole) +
                     "' is no table name: expected namespace.table, such as sales.orders, " +
                     "each part not empty and without slashes");
}

/// A level as the name of one folder.
std::string FolderName(std::string_view level) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  const bool only_dots = level.find_first_not_of('.') == std::string_view::npos;
  std::string name;
  for (const char c : level) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = byte >= 0x20 && byte != 0x7f && c != '/' && c != '\\' && c != '~' &&
                       !(c == '.' && only_dots);
    if (plain) {
      name += c;
    } else {
      name += {'~', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return name;
}

}  // namespace

std::string FolderOf(const TableName& name) {
  std::string folder;
  for (const std::string& level : name.ns) folder += FolderName(level) + "/";
  return folder + FolderName(name.name);
}

Result<TableName> TableName::Parse(std::string_view dotted) {
  std::vector<std::string> levels = Split(dotted, '.');
  for (const std::string& level : levels) CALVE_RETURN_IF_ERROR(CheckLevel(level, dotted));
  if (levels.size() < 2) {
    return ConfigError("'" + std::string(dotted) +
                       "' has no namespace: write namespace.table, such as sales." +
                       std::string(dotted));
  }
  TableName table;
  table.name = std::move(levels.back());
  levels.pop_back();
  table.ns = std::move(levels);
  return table;
}

std::string TableName::ToString() const { return catalog::ToString(ns) + "." + name; }

std::string ToString(const Namespace& ns) { return Join(ns, "."); }

}  // namespace calve::catalog
