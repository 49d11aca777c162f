#include "source/web_scraper/web_client.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/text.h"
#include "source/web_address.h"

namespace calve::source::web_scraper {
namespace {

constexpr ByteCount kRobotsBytesMax{8'000'000};
constexpr int kNotModified = 304;

/// Path and query of an address.
std::string PathOf(const std::string& url) {
  const std::string whole = url.substr(0, url.find('#'));
  const size_t begin = whole.find_first_of("/?", whole.find("://") + 3);
  if (begin == std::string::npos) return "/";
  return (whole[begin] == '?' ? "/" : "") + whole.substr(begin);
}

std::string SecondsOf(Duration duration) {
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
  std::string text = std::to_string(millis / 1000);
  if (millis % 1000 != 0) text += "." + std::to_string(1000 + millis % 1000).substr(1);
  return text + " s";
}

}  // namespace

WebClient::WebClient(const WebOptions& options)
    : options_(options),
      pace_(options.requests_per_minute),
      http_(io::MakeHttpClient(
          {.user_agent = options.user_agent,
           .retry_after_longest = options.retry_after_max,
           .retry = {.attempts_max = options.tries_max, .first = std::chrono::milliseconds(200)},
           .before_try = [this](const Context& context) { return pace_.Wait(context); }})) {}

Result<std::shared_ptr<const RobotsRules>> WebClient::RulesOf(const Context& context,
                                                              const std::string& origin) {
  // One reader asks, and the others wait for what it learns.
  std::lock_guard lock(mutex_);
  std::shared_ptr<const RobotsRules>& rules = rules_[origin];
  if (rules != nullptr) return rules;
  const io::HttpRequest request{.url = origin + "/robots.txt",
                                .headers = {},
                                .body = {},
                                .timeout = options_.timeout,
                                .response_bytes_max = kRobotsBytesMax};
  constexpr const char* kAdvice =
      "; while a site does not say what may be read, nothing may: run again later, or, where its "
      "owner agrees, set robots: ignore";
  auto reply = http_->Send(context, request);
  if (!reply.ok()) {
    Error error = std::move(reply).error();
    if (error.kind == ErrorKind::kTransient) error.message += kAdvice;
    return error;
  }
  if (reply->status == 429 || reply->status >= 500) {
    Error error = io::HttpStatusError("robots.txt", request, *reply);
    error.message += kAdvice;
    return error;
  }
  // A site that has none allows all.
  rules = std::make_shared<const RobotsRules>(RobotsRules::Parse(
      reply->ok() ? std::string_view(reply->body) : "", ProductToken(options_.user_agent)));
  pace_.SlowTo(rules->crawl_delay());
  return rules;
}

Status WebClient::CheckAllowed(const Context& context, const std::string& url) {
  if (options_.robots == Robots::kIgnore) return Status::Ok();
  const std::string origin = OriginOf(url);
  CALVE_ASSIGN_OR_RETURN(const auto rules, RulesOf(context, origin));
  const auto forbids = rules->Forbids(PathOf(url));
  if (!forbids.has_value()) return Status::Ok();
  return RefusedError("the site does not want this page to be read: " + origin +
                      "/robots.txt says " + Quote(forbids->substr(0, 80)) + " to " +
                      ProductToken(options_.user_agent) +
                      "; ask the site's owner, and where they agree, set robots: ignore");
}

Result<WebReply> WebClient::Get(const Context& context, const std::string& what,
                                const std::string& url, const Validators& known) {
  WebReply page{
      .url = url, .is_unchanged = false, .body = {}, .content_type = {}, .validators = {}};
  if (Status allowed = CheckAllowed(context, url); !allowed.ok())
    return While(what, std::move(allowed).error());
  io::HttpRequest request{.url = url,
                          .headers = {options_.headers.begin(), options_.headers.end()},
                          .body = {},
                          .timeout = options_.timeout,
                          .response_bytes_max = options_.page_size_max};
  if (!known.etag.empty()) request.headers.emplace_back("If-None-Match", known.etag);
  if (!known.last_modified.empty())
    request.headers.emplace_back("If-Modified-Since", known.last_modified);
  request.may_redirect = [&](const std::string& target) {
    page.url = target;
    return CheckAllowed(context, target);
  };
  auto reply = http_->Send(context, request);
  if (!reply.ok()) {
    Error error = While(what, std::move(reply).error());
    if (error.kind == ErrorKind::kTransient)
      error.message += "; see that the address is right, and run again when the site is well";
    return error;
  }
  page.is_unchanged = reply->status == kNotModified;
  if (!reply->ok() && !page.is_unchanged) {
    Error error = io::HttpStatusError(what, request, *reply);
    const std::string_view wait = reply->Header("retry-after");
    if (reply->status == 429 && !wait.empty())
      error.message += "; it is to be asked again after " + Quote(wait.substr(0, 40));
    return error;
  }
  page.content_type = reply->Header("content-type");
  page.validators = {.etag = std::string(reply->Header("etag")),
                     .last_modified = std::string(reply->Header("last-modified"))};
  page.body = std::move(reply->body);
  return page;
}

std::vector<std::string> WebClient::Notes() const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> notes;
  for (const auto& [origin, rules] : rules_) {
    if (rules == nullptr || rules->crawl_delay() == Duration(0)) continue;
    notes.push_back(origin + "/robots.txt asks for " + SecondsOf(rules->crawl_delay()) +
                    " between two requests");
  }
  return notes;
}

}  // namespace calve::source::web_scraper
