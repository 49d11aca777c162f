#pragma once

#include <string_view>

namespace calve::avro {

/// Whether brackets in a JSON text nest at most `levels` deep, so that walking it is safe.
inline bool NestsAtMost(std::string_view json, int levels) {
  int depth = 0;
  bool in_text = false;
  for (size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_text) {
      if (c == '\\') ++i;
      if (c == '"') in_text = false;
    } else if (c == '"') {
      in_text = true;
    } else if (c == '[' || c == '{') {
      if (++depth > levels) return false;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return true;
}

}  // namespace calve::avro
