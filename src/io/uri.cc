#include "io/uri.h"

#include <algorithm>

#include "base/text.h"

namespace calve::io {
namespace {

bool IsSchemeCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '-' || c == '.';
}

/// Length of the scheme of `text`, or 0 when it is a plain path. A scheme is followed by "://",
/// file also by ":/".
size_t SchemeLength(std::string_view text) {
  size_t end = 0;
  while (end < text.size() && IsSchemeCharacter(text[end])) ++end;
  if (end < 2 || !((text[0] | 32) >= 'a' && (text[0] | 32) <= 'z')) return 0;
  if (text.substr(end).starts_with("://")) return end;
  if (text.substr(end).starts_with(":/") && ToLower(text.substr(0, end)) == "file") return end;
  return 0;
}

/// No file is on another host: what stands there is the first folder of a relative path, as
/// PyIceberg and DuckDB read it, whose tables have such paths.
Result<Uri> ParseFileUri(std::string_view text) {
  std::string_view rest = text.substr(5);  // behind "file:"
  if (rest.starts_with("//")) rest.remove_prefix(2);
  const size_t slash = rest.find('/');
  if (slash != std::string_view::npos && ToLower(rest.substr(0, slash)) == "localhost") {
    rest.remove_prefix(slash);
  }
  if (rest.empty())
    return ConfigError("address " + Quote(text) + ": expected a path after file://");
  return Uri{"file", "", std::string(rest)};
}

}  // namespace

std::string SchemeOf(std::string_view uri) { return ToLower(uri.substr(0, SchemeLength(uri))); }

Result<Uri> ParseUri(std::string_view text) {
  if (text.empty()) return ConfigError("expected the address of a file or folder, found nothing");
  if (text.find('\0') != std::string_view::npos) {
    return ConfigError("address " + Quote(text) + " holds a NUL byte, which no name can");
  }
  const std::string scheme = SchemeOf(text);
  if (scheme.empty()) return Uri{"", "", std::string(text)};
  if (scheme == "file") return ParseFileUri(text);
  std::string_view rest = text.substr(scheme.size() + 3);
  const size_t slash = rest.find('/');
  Uri uri{scheme, std::string(rest.substr(0, slash)), ""};
  if (slash != std::string_view::npos) uri.path = std::string(rest.substr(slash + 1));
  if (uri.authority.empty()) {
    return ConfigError("address " + Quote(ShownUri(text)) + ": expected a name after " + scheme +
                       "://, found none");
  }
  return uri;
}

std::string OneSpelling(std::string_view uri) {
  const std::string scheme = SchemeOf(uri);
  std::string one;
  if (scheme.empty() || scheme == "file") {
    const Result<Uri> parts = ParseUri(uri);
    one = "file://" + (parts.ok() ? parts->path : std::string(uri));
  } else {
    const bool is_s3 = scheme == "s3a" || scheme == "s3n";
    one = (is_s3 ? "s3" : scheme) + std::string(uri.substr(scheme.size()));
  }
  while (one.ends_with('/') && !one.ends_with("//")) one.pop_back();
  return one;
}

bool IsBelow(std::string_view uri, std::string_view folder) {
  if (folder.empty()) return false;
  std::string above = OneSpelling(folder);
  if (!above.ends_with('/')) above += '/';
  const std::string place = OneSpelling(uri);
  return place.size() > above.size() && place.starts_with(above);
}

std::string JoinUri(std::string_view folder, std::string_view relative) {
  while (relative.starts_with('/')) relative.remove_prefix(1);
  std::string joined(folder);
  if (!joined.empty() && !joined.ends_with('/') && !relative.empty()) joined += '/';
  joined += relative;
  return joined;
}

std::string Below(std::string_view folder, std::string_view relative) {
  std::string below(folder);
  if (!below.ends_with('/')) below += '/';
  below += relative;
  return below;
}

std::string ParentUri(std::string_view uri) {
  size_t start = SchemeLength(uri);
  if (start != 0) start += uri.substr(start).starts_with("://") ? 3 : 1;
  std::string_view path = uri.substr(start);
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return "";
  if (slash == 0) return path.size() == 1 ? "" : std::string(uri.substr(0, start + 1));
  return std::string(uri.substr(0, start + slash));
}

std::string_view BaseName(std::string_view uri) { return uri.substr(uri.rfind('/') + 1); }

std::string ShownUri(std::string_view uri) {
  const std::string scheme = SchemeOf(uri);
  if (scheme != "http" && scheme != "https" && scheme != "ftp") return std::string(uri);
  std::string_view rest = uri.substr(scheme.size() + 3);
  rest = rest.substr(0, rest.find_first_of("?#"));
  const size_t at = rest.substr(0, rest.find('/')).rfind('@');
  if (at != std::string_view::npos) rest.remove_prefix(at + 1);
  return std::string(uri.substr(0, scheme.size() + 3)) + std::string(rest);
}

}  // namespace calve::io
