#pragma once

#include <string>
#include <vector>

#include "columnar/text_value.h"
#include "config/option.h"

namespace calve::source {

/// How values are written in a source of texts.
struct TextFormatOptions {
  std::string decimal = ".";
  std::string thousands;
  std::vector<std::string> date_formats;
  std::vector<std::string> timestamp_formats;

  static config::Shape<TextFormatOptions> Declaration();
  columnar::TextFormats formats() const {
    return {.decimal = decimal.empty() ? '.' : decimal[0],
            .thousands = thousands.empty() ? '\0' : thousands[0],
            .date_formats = date_formats,
            .timestamp_formats = timestamp_formats};
  }
};

/// See that an option is one character, or nothing.
Status CheckOneCharacter(const std::string& text, const std::string& key);

}  // namespace calve::source
