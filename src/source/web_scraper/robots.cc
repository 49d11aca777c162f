#include "source/web_scraper/robots.h"

#include <chrono>

#include "base/text.h"
#include "columnar/text_value.h"
#include "io/http.h"

namespace calve::source::web_scraper {
namespace {

constexpr size_t kBytesMax = 500 << 10;
constexpr double kDelaySecondsMax = 24 * 3600;

bool IsTokenCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
}

/// One spelling for paths that mean the same: letters, digits and -._~ as they are, other octets
/// that are encoded or not ASCII as %XX, the rest as written.
std::string Spelled(std::string_view text) {
  const auto is_unreserved = [](char c) {
    return IsTokenCharacter(c) || (c >= '0' && c <= '9') || c == '.' || c == '~';
  };
  std::string spelled;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto octet = text[i] == '%' && i + 2 < text.size() ? io::PercentDecode(text.substr(i, 3))
                                                             : Result<std::string>(std::string());
    if (octet.ok() && octet->size() == 1) {
      spelled += is_unreserved(octet->front()) ? *octet : io::PercentEncode(*octet);
      i += 2;
    } else if (static_cast<unsigned char>(text[i]) >= 0x80) {
      spelled += io::PercentEncode(text.substr(i, 1));
    } else {
      spelled += text[i];
    }
  }
  return spelled;
}

/// Whether a pattern with * (any octets) and a $ at its end matches a path from its beginning.
bool Matches(std::string_view pattern, std::string_view path) {
  const bool to_the_end = pattern.ends_with('$');
  if (to_the_end) pattern.remove_suffix(1);
  size_t p = 0;
  size_t at = 0;
  size_t star = std::string_view::npos;
  size_t star_at = 0;
  while (true) {
    if (p == pattern.size() && (!to_the_end || at == path.size())) return true;
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_at = at;
    } else if (p < pattern.size() && at < path.size() && pattern[p] == path[at]) {
      ++p;
      ++at;
    } else if (star != std::string_view::npos && star_at < path.size()) {
      p = star + 1;
      at = ++star_at;
    } else {
      return false;
    }
  }
}

/// A line's key in lower case and its value, without comment; nothing of other lines.
std::optional<std::pair<std::string, std::string>> Parsed(std::string_view line) {
  line = line.substr(0, line.find('#'));
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  return std::pair(ToLower(Trim(line.substr(0, colon))), std::string(Trim(line.substr(colon + 1))));
}

Duration DelayOf(const std::string& text) {
  const auto seconds = columnar::ReadDouble(text, {});
  if (!seconds.has_value() || !(*seconds > 0)) return Duration(0);
  return std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>(std::min(*seconds, kDelaySecondsMax)));
}

}  // namespace

std::string ProductToken(std::string_view user_agent) {
  size_t end = 0;
  while (end < user_agent.size() && IsTokenCharacter(user_agent[end])) ++end;
  return std::string(user_agent.substr(0, end));
}

RobotsRules RobotsRules::Parse(std::string_view text, std::string_view agent) {
  text = text.substr(0, kBytesMax);
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  RobotsRules ours;
  RobotsRules everybodys;
  bool found = false;    // A group that names us.
  bool is_ours = false;  // The group that the line is in.
  bool is_everybodys = false;
  bool has_rules = false;  // What names agents now begins another group.
  while (!text.empty()) {
    const size_t end = std::min(text.find_first_of("\r\n"), text.size());
    const auto line = Parsed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.has_value()) continue;
    const auto& [key, value] = *line;
    if (key == "user-agent") {
      if (has_rules) is_ours = is_everybodys = has_rules = false;
      const std::string token = ProductToken(value);
      is_ours = is_ours || (!token.empty() && ToLower(token) == ToLower(agent));
      is_everybodys = is_everybodys || value == "*";
      found = found || is_ours;
      continue;
    }
    const bool is_rule = key == "allow" || key == "disallow";
    if (!is_rule && key != "crawl-delay") continue;
    has_rules = true;
    for (auto [counts, rules] :
         {std::pair(is_ours, &ours), std::pair(is_everybodys, &everybodys)}) {
      if (!counts) continue;
      if (!is_rule) {
        rules->crawl_delay_ = std::max(rules->crawl_delay_, DelayOf(value));
      } else if (!value.empty()) {
        rules->rules_.push_back({.pattern = Spelled(value),
                                 .written = (key == "allow" ? "Allow: " : "Disallow: ") + value,
                                 .allows = key == "allow"});
      }
    }
  }
  return found ? ours : everybodys;
}

std::optional<std::string> RobotsRules::Forbids(std::string_view path_and_query) const {
  const std::string path = Spelled(path_and_query.empty() ? "/" : path_and_query);
  if (path == "/robots.txt") return std::nullopt;
  const Rule* longest = nullptr;
  for (const Rule& rule : rules_) {
    if (!Matches(rule.pattern, path)) continue;
    const bool wins = longest == nullptr || rule.pattern.size() > longest->pattern.size() ||
                      (rule.pattern.size() == longest->pattern.size() && rule.allows);
    if (wins) longest = &rule;
  }
  if (longest == nullptr || longest->allows) return std::nullopt;
  return longest->written;
}

}  // namespace calve::source::web_scraper
