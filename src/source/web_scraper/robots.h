#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace calve::source::web_scraper {

/// What a site's robots.txt says to one reader (RFC 9309).
class RobotsRules {
 public:
  /// `agent`: the reader's product token, "calve". Rules of all groups for it count together; those
  /// of * where there are none. Beyond 500 KiB nothing is read.
  static RobotsRules Parse(std::string_view text, std::string_view agent);

  /// The line that forbids an address's path and query, as it stands there; nothing when it may be
  /// read. The longest rule that matches decides, and Allow where two are as long.
  std::optional<std::string> Forbids(std::string_view path_and_query) const;
  /// How far apart requests shall be; 0: not said.
  Duration crawl_delay() const { return crawl_delay_; }

 private:
  struct Rule {
    std::string pattern;  ///< In the spelling that paths are compared in.
    std::string written;
    bool allows = false;
  };
  std::vector<Rule> rules_;
  Duration crawl_delay_{0};
};

/// The name by which robots.txt knows who asks: "Mozilla" of "Mozilla/5.0 (X11)".
std::string ProductToken(std::string_view user_agent);

}  // namespace calve::source::web_scraper
