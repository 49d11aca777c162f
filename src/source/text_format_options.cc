#include "source/text_format_options.h"

namespace calve::source {

Status CheckOneCharacter(const std::string& text, const std::string& key) {
  if (text.size() <= 1) return Status::Ok();
  return ConfigError(key + " is one character, not '" + text + "'");
}

config::Shape<TextFormatOptions> TextFormatOptions::Declaration() {
  using Options = TextFormatOptions;
  config::Shape<Options> shape("text formats");
  shape.Optional("decimal", &Options::decimal, "What stands before the fraction of a number.");
  shape.Optional("thousands", &Options::thousands,
                 "What stands between groups of three digits; empty: nothing does.");
  shape.Optional("date_formats", &Options::date_formats,
                 "How dates are written, as strptime says it.",
                 {.example = "[\"%d.%m.%Y\"]", .default_text = "2026-11-21"});
  shape.Optional("timestamp_formats", &Options::timestamp_formats,
                 "How timestamps are written, as strptime says it.",
                 {.example = "[\"%d.%m.%Y %H:%M\"]",
                  .default_text = "2026-11-21T08:15:00, with or without zone"});
  shape.Check("decimal", [](const Options& o) { return CheckOneCharacter(o.decimal, "decimal"); });
  shape.Check("thousands",
              [](const Options& o) { return CheckOneCharacter(o.thousands, "thousands"); });
  shape.Check("date_formats", [](const Options& o) {
    return columnar::CheckFormats({.date_formats = o.date_formats});
  });
  shape.Check("timestamp_formats", [](const Options& o) {
    return columnar::CheckFormats({.timestamp_formats = o.timestamp_formats});
  });
  shape.Check("thousands", [](const Options& o) -> Status {
    if (o.thousands.empty() || o.thousands != o.decimal) return Status::Ok();
    return ConfigError("thousands and decimal are both '" + o.decimal +
                       "'; a number needs two characters to tell them apart");
  });
  return shape;
}

}  // namespace calve::source
