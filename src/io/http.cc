#include "io/http.h"

#include <algorithm>

#include "base/text.h"
#include "io/uri.h"

namespace calve::io {
namespace {

bool IsUnreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

ErrorKind KindOfStatus(int status) {
  if (status == 404 || status == 410) return ErrorKind::kNotFound;
  if (status == 409 || status == 412) return ErrorKind::kConflict;
  if (status == 408 || status == 429 || status >= 500) return ErrorKind::kTransient;
  return ErrorKind::kRefused;
}

std::string_view Advice(int status) {
  switch (status) {
    case 401:
      return " (unauthorized); check the credentials";
    case 403:
      return " (forbidden); check the credentials and their rights";
    case 404:
      return " (not found)";
    case 407:
      return " (the proxy wants credentials)";
    case 429:
      return " (too many requests); try again later or ask for less at once";
    case 503:
      return " (unavailable); try again later";
    default:
      return "";
  }
}

}  // namespace

std::string_view HttpResponse::Header(std::string_view name) const {
  const std::string wanted = ToLower(name);
  for (const auto& [key, value] : headers) {
    if (ToLower(key) == wanted) return value;
  }
  return "";
}

Error HttpStatusError(std::string_view doing, const HttpRequest& request,
                      const HttpResponse& response) {
  return {KindOfStatus(response.status), std::string(doing) + ": " + request.method + " " +
                                             ShownUri(request.url) + " was answered with status " +
                                             std::to_string(response.status) +
                                             std::string(Advice(response.status))};
}

std::string PercentEncode(std::string_view text, std::string_view keep) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    if (IsUnreserved(c) || keep.find(c) != std::string_view::npos) {
      encoded += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      encoded += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return encoded;
}

Result<std::string> PercentDecode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const int high = i + 1 < text.size() ? HexDigit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? HexDigit(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      return DataError("expected two hexadecimal digits after the % at offset " +
                       std::to_string(i) + " of " + Quote(text));
    }
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

}  // namespace calve::io
