#include "source/web_address.h"

#include <algorithm>

#include "base/text.h"
#include "io/http.h"
#include "io/uri.h"

namespace calve::source {
namespace {

/// Take "." and ".." out of a path that begins with a slash (RFC 3986, 5.2.4).
std::string WithoutDots(const std::string& path) {
  std::vector<std::string> kept;
  const std::vector<std::string> segments = calve::Split(path.substr(1), '/');
  for (size_t i = 0; i < segments.size(); ++i) {
    const bool is_last = i + 1 == segments.size();
    if (segments[i] == ".." && !kept.empty()) kept.pop_back();
    if (segments[i] != "." && segments[i] != "..") {
      kept.push_back(segments[i]);
    } else if (is_last) {
      kept.emplace_back();
    }
  }
  return "/" + Join(kept, "/");
}

bool HasScheme(const std::string& link) {
  const size_t colon = link.find(':');
  return colon != std::string::npos && colon > 0 && link.find_first_of("/?#") > colon;
}

}  // namespace

std::string WithParams(std::string url, const Params& params) {
  char before = url.find('?') == std::string::npos ? '?' : '&';
  for (const auto& [name, value] : params) {
    url += std::string(1, before) + io::PercentEncode(name, "[]") + "=" + io::PercentEncode(value);
    before = '&';
  }
  return url;
}

std::string WithoutParam(const std::string& url, const std::string& name) {
  const size_t query = url.find('?');
  if (query == std::string::npos) return url;
  std::string kept = url.substr(0, query);
  char before = '?';
  for (const std::string& pair : calve::Split(url.substr(query + 1), '&')) {
    const auto decoded = io::PercentDecode(pair.substr(0, pair.find('=')));
    if (pair.empty() || (decoded.ok() && *decoded == name)) continue;
    kept += before + pair;
    before = '&';
  }
  return kept;
}

std::string ResolveLink(const std::string& from, std::string link) {
  link = link.substr(0, link.find('#'));
  if (HasScheme(link)) return link;
  const std::string whole = from.substr(0, from.find('#'));
  if (link.empty()) return whole;
  const std::string base = whole.substr(0, whole.find('?'));
  const size_t host = base.find("://") + 3;
  const size_t root = std::min(base.find('/', host), base.size());
  if (link.starts_with("//")) return base.substr(0, host - 2) + link;
  if (link.starts_with('?')) return base + link;
  const std::string query = link.find('?') == std::string::npos ? "" : link.substr(link.find('?'));
  std::string path = link.substr(0, link.find('?'));
  if (!path.starts_with('/')) {
    const std::string folder = base.substr(root, base.rfind('/') + 1 - root);
    path = (root == base.size() ? "/" : folder) + path;
  }
  return base.substr(0, root) + WithoutDots(path) + query;
}

std::string OriginOf(const std::string& url) {
  const auto uri = io::ParseUri(url.substr(0, url.find_first_of("?#")));
  if (!uri.ok()) return "";
  return ToLower(uri->scheme + "://" + uri->authority.substr(uri->authority.rfind('@') + 1));
}

}  // namespace calve::source
