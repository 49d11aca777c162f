#include "stream/webhook.h"

#include <openssl/crypto.h>

#include "base/digest.h"

namespace calve::stream {

std::string ToBase64(std::string_view bytes) {
  std::string text = ToBase64Url(bytes);
  for (char& c : text) {
    if (c == '-') c = '+';
    if (c == '_') c = '/';
  }
  text.append((4 - text.size() % 4) % 4, '=');
  return text;
}

bool SameSignature(std::string_view given, std::string_view expected) {
  // The length of a signature is no secret.
  return given.size() == expected.size() &&
         CRYPTO_memcmp(given.data(), expected.data(), given.size()) == 0;
}

std::vector<std::string> SplitArray(std::string_view array) {
  std::vector<std::string> values;
  const std::string_view spaces = " \t\r\n";
  size_t begin = array.find('[') + 1;
  int depth = 0;
  bool in_text = false;
  const auto add = [&](size_t end) {
    std::string_view value = array.substr(begin, end - begin);
    const size_t first = value.find_first_not_of(spaces);
    if (first != std::string_view::npos)
      values.emplace_back(value.substr(first, value.find_last_not_of(spaces) + 1 - first));
    begin = end + 1;
  };
  for (size_t at = begin; at < array.size(); ++at) {
    const char c = array[at];
    if (in_text) {
      if (c == '\\') ++at;
      if (c == '"') in_text = false;
    } else if (c == '"') {
      in_text = true;
    } else if (c == '[' || c == '{') {
      ++depth;
    } else if (c == ',' && depth == 0) {
      add(at);
    } else if (c == ']' || c == '}') {
      if (depth-- == 0) {
        add(at);
        break;
      }
    }
  }
  return values;
}

}  // namespace calve::stream
