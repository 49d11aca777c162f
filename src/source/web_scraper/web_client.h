#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "io/http.h"
#include "source/request_pace.h"
#include "source/web_scraper/robots.h"
#include "source/web_scraper/web_options.h"

namespace calve::source::web_scraper {

/// By what a site can say that a page is as it was.
struct Validators {
  std::string etag;
  std::string last_modified;
};

/// A page as it came.
struct WebReply {
  std::string url;  ///< Where it was found, after redirects.
  bool is_unchanged = false;
  std::string body;
  std::string content_type;
  Validators validators;
};

/// Asks for pages, as a site's robots.txt allows and not more often than it may be asked. Threads:
/// any.
class WebClient {
 public:
  /// `options` outlive it.
  explicit WebClient(const WebOptions& options);

  /// Ask for a page. `what` names it for people. Fails with kRefused where robots.txt forbids it, or
  /// the site refuses it, kNotFound on 404 and 410, kTransient when all tries are used up.
  Result<WebReply> Get(const Context& context, const std::string& what, const std::string& url,
                       const Validators& known);
  /// What a person should know of the sites, one sentence each.
  std::vector<std::string> Notes() const;

 private:
  Status CheckAllowed(const Context& context, const std::string& url);
  Result<std::shared_ptr<const RobotsRules>> RulesOf(const Context& context,
                                                     const std::string& origin);

  const WebOptions& options_;
  RequestPace pace_;
  const std::unique_ptr<io::HttpClient> http_;
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const RobotsRules>> rules_;  ///< By origin.
};

}  // namespace calve::source::web_scraper
