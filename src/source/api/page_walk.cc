#include "source/api/page_walk.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.h"
#include "io/uri.h"
#include "source/api/reply.h"

namespace calve::source::api {
std::string NextOf(std::string_view header) {
  while (true) {
    const size_t open = header.find('<');
    const size_t close = header.find('>', open == std::string_view::npos ? 0 : open);
    if (open == std::string_view::npos || close == std::string_view::npos) return "";
    const std::string_view address = header.substr(open + 1, close - open - 1);
    header.remove_prefix(close + 1);
    // A comma inside quotes is none that ends the link.
    size_t end = 0;
    for (bool quoted = false; end < header.size() && (quoted || header[end] != ','); ++end)
      quoted = quoted != (header[end] == '"');
    for (const std::string& param : calve::Split(header.substr(0, end), ';')) {
      const std::string text = ToLower(Trim(param));
      if (!text.starts_with("rel=")) continue;
      std::string relations = text.substr(4);
      std::erase(relations, '"');
      for (const std::string& relation : calve::Split(relations, ' ')) {
        if (relation == "next") return std::string(address);
      }
    }
    header.remove_prefix(end);
  }
}

PageWalk::PageWalk(ApiClient& client, const ApiOptions& options, Target target)
    : client_(client), options_(options), target_(std::move(target)) {}

std::string PageWalk::Label() const {
  return options_.pagination_strategy == Pagination::kNone
             ? target_.label
             : target_.label + " page " + FormatCount(pages_ + 1);
}

Params PageWalk::PageParams() const {
  const PaginationConfig& config = options_.pagination_config;
  Params params;
  switch (options_.pagination_strategy) {
    case Pagination::kNone:
      return params;
    case Pagination::kPage:
      params.emplace_back(config.page_param, std::to_string(config.first_page + pages_));
      break;
    case Pagination::kOffset:
      params.emplace_back(config.offset_param, std::to_string(records_));
      break;
    case Pagination::kCursor:
      if (!cursor_.empty()) params.emplace_back(config.cursor_param, cursor_);
      break;
    case Pagination::kLink:
      break;
  }
  if (!config.size_param.empty())
    params.emplace_back(config.size_param, std::to_string(config.size));
  return params;
}

std::string PageWalk::Url() const {
  if (!link_.empty()) return link_;
  Params params = target_.params;
  if (options_.pagination_config.in == ParamPlace::kQuery) {
    for (auto& param : PageParams()) params.push_back(std::move(param));
  }
  return WithParams(io::JoinUri(options_.base_url, target_.endpoint), params);
}

std::string PageWalk::Body() const {
  if (options_.method != Method::kPost) return "";
  if (options_.pagination_config.in == ParamPlace::kQuery) return options_.body;
  // The declaration has seen that it is an object.
  auto body = nlohmann::ordered_json::parse(options_.body.empty() ? "{}" : options_.body);
  for (const auto& [name, value] : PageParams()) {
    if (const auto number = ParseInteger(value);
        number.has_value() && name != options_.pagination_config.cursor_param) {
      body[name] = *number;
    } else {
      body[name] = value;
    }
  }
  return body.dump();
}

std::optional<std::string> PageWalk::TextAt(const Reply& reply, const std::string& path) const {
  if (const auto header = HeaderOf(path)) {
    const std::string_view value = reply.http.Header(*header);
    return value.empty() ? std::nullopt : std::optional(std::string(value));
  }
  const auto found = FindJson(reply.http.body, KeysOf(path));
  return found.has_value() ? ScalarText(*found) : std::nullopt;
}

Result<std::optional<bool>> PageWalk::TellsMore(const Reply& reply) const {
  const std::string& path = options_.pagination_config.more_path;
  if (path.empty()) return std::optional<bool>();
  const auto text = TextAt(reply, path);
  if (text == "true") return std::optional(true);
  if (text == "false") return std::optional(false);
  return DataError(Label() + ": expected true or false at " + path + ", found " +
                   (text.has_value() ? Quote(text->substr(0, 60)) : "nothing") +
                   "; set more_path to where replies say whether more follows");
}

Result<std::optional<Page>> PageWalk::Next(const Context& context) {
  CALVE_RETURN_IF_ERROR(context.CheckStop());
  if (ended_) return std::optional<Page>();
  if (pages_ == options_.pagination_config.pages_max) {
    return DataError(target_.label + " has more than " + FormatCount(pages_) +
                     " pages; see that pages end, or raise pages_max");
  }
  Reply reply;
  Page page{.label = Label(), .body = {}, .records = {}, .made = {}, .bytes = 0};
  auto answered = client_.Ask(context, page.label, Url(), Body());
  if (!answered.ok()) {
    Error error = std::move(answered).error();
    if (error.kind != ErrorKind::kNotFound || pages_ == 0) return error;
    // The job is right, and its input is there: it has fewer pages.
    return DataError(error.message +
                     "; where that is how the service ends its pages, give more_path or total_path "
                     "in pagination_config, so that the page is not asked for");
  }
  reply.http = std::move(*answered);
  page.bytes = static_cast<int64_t>(reply.http.body.size());
  if (reply.http.status != 204) {
    auto records = RecordsOf(reply.http.body, target_.records_path);
    if (!records.ok()) return While(page.label, std::move(records).error());
    reply.records = std::move(*records);
  }
  CALVE_RETURN_IF_ERROR(GoOn(reply));
  int64_t number = 0;
  for (const std::string_view record : reply.records) page.records.push_back({record, ++number});
  // The records look into the text, which may be too short to keep its place when it is moved.
  auto body = std::make_shared<std::string>();
  const char* const before = reply.http.body.data();
  *body = std::move(reply.http.body);
  if (body->data() != before) {
    for (Page::Record& record : page.records)
      record.text = {body->data() + (record.text.data() - before), record.text.size()};
  }
  page.body = std::move(body);
  return std::optional(std::move(page));
}

Status PageWalk::GoOn(const Reply& reply) {
  CALVE_ASSIGN_OR_RETURN(const std::optional<bool> more, TellsMore(reply));
  Status gone_on;
  records_ += static_cast<int64_t>(reply.records.size());
  switch (options_.pagination_strategy) {
    case Pagination::kNone:
      ended_ = true;
      break;
    case Pagination::kPage:
    case Pagination::kOffset:
      gone_on = CountOn(reply, more);
      break;
    case Pagination::kCursor:
      gone_on = FollowCursor(reply, more);
      break;
    case Pagination::kLink:
      gone_on = FollowLink(reply);
      break;
  }
  ++pages_;
  return gone_on;
}

Status PageWalk::CountOn(const Reply& reply, std::optional<bool> more) {
  CALVE_RETURN_IF_ERROR(CheckTotal(reply));
  if (!reply.records.empty()) {
    std::string all;
    for (const std::string_view record : reply.records) all += record;
    const RowDigest digest = DigestOf(all);
    if (last_page_ == digest) {
      const bool by_page = options_.pagination_strategy == Pagination::kPage;
      return DataError(Label() +
                       " has the same records as the page before; the service seems not to "
                       "know the parameter '" +
                       (by_page ? options_.pagination_config.page_param
                                : options_.pagination_config.offset_param) +
                       "': set " + (by_page ? "page_param" : "offset_param") +
                       " to the one that it has, or pagination_strategy to what it does");
    }
    last_page_ = digest;
  }
  ended_ = more.has_value()     ? !*more
           : total_.has_value() ? reply.records.empty() || records_ >= *total_
                                : reply.records.empty();
  if (!ended_ || !total_.has_value() || records_ == *total_) return Status::Ok();
  return DataError(target_.label + ": expected " + FormatCount(*total_) + " records in all, as " +
                   options_.pagination_config.total_path + " says, found " + FormatCount(records_) +
                   " in the pages; records came or went while they were read: run again, or let "
                   "params sort them by a field that does not change");
}

Status PageWalk::CheckTotal(const Reply& reply) {
  const std::string& path = options_.pagination_config.total_path;
  if (path.empty()) return Status::Ok();
  const auto text = TextAt(reply, path);
  const auto total = text.has_value() ? ParseInteger(*text) : std::nullopt;
  if (!total.has_value()) {
    return DataError(Label() + ": expected the number of all records at " + path + ", found " +
                     (text.has_value() ? Quote(text->substr(0, 60)) : "nothing") +
                     "; set total_path to where replies have it");
  }
  if (total_.has_value() && *total_ != *total) {
    return DataError(Label() + ": there were " + FormatCount(*total_) +
                     " records in all, and now there are " + FormatCount(*total) +
                     "; records came or went while pages were read: run again, or let params sort "
                     "them by a field that does not change");
  }
  total_ = total;
  return Status::Ok();
}

Status PageWalk::Remember(const std::string& what, const std::string& text) {
  if (been_.insert(DigestOf(text)).second) return Status::Ok();
  return DataError(Label() + ": the next " + what + " is one that a page before has given already" +
                   (what == "cursor" ? " (" + Quote(text.substr(0, 60)) + ")" : "") +
                   ", so pages go in a circle; check " +
                   (what == "cursor" ? "cursor_param and where the cursor is taken from"
                                     : "next_path and the service"));
}

Status PageWalk::FollowCursor(const Reply& reply, std::optional<bool> more) {
  const PaginationConfig& config = options_.pagination_config;
  std::optional<std::string> next;
  if (!config.cursor_path.empty()) {
    next = TextAt(reply, config.cursor_path);
    if (next == "false") next.reset();
  } else if (!reply.records.empty()) {
    const auto found = FindJson(reply.records.back(), KeysOf(config.cursor_field));
    next = found.has_value() ? ScalarText(*found) : std::nullopt;
    if (!next.has_value()) {
      return DataError(Label() + ": the last record has no " + config.cursor_field +
                       ", which cursor_field says is the next cursor; set it to a field that every "
                       "record has");
    }
  }
  if (next.has_value() && next->empty()) next.reset();
  if (more == false || !next.has_value()) {
    if (more == true) {
      return DataError(Label() + ": " + config.more_path +
                       " says that more follows, and there is no next cursor; set " +
                       (config.cursor_path.empty() ? "cursor_field" : "cursor_path") +
                       " to where it is");
    }
    ended_ = true;
    return Status::Ok();
  }
  CALVE_RETURN_IF_ERROR(Remember("cursor", *next));
  cursor_ = *next;
  return Status::Ok();
}

Status PageWalk::FollowLink(const Reply& reply) {
  const PaginationConfig& config = options_.pagination_config;
  std::string next;
  if (!config.next_path.empty()) {
    next = TextAt(reply, config.next_path).value_or("");
  } else {
    for (const auto& [name, value] : reply.http.headers) {
      if (next.empty() && ToLower(name) == "link") next = NextOf(value);
    }
  }
  if (next.empty()) {
    ended_ = true;
    return Status::Ok();
  }
  next = ResolveLink(Url(), next);
  if (OriginOf(next) != OriginOf(options_.base_url)) {
    return RefusedError(Label() + ": the next page is said to be at " + OriginOf(next) +
                        ", and base_url is at " + OriginOf(options_.base_url) +
                        "; credentials are not sent elsewhere: set base_url to the host that the "
                        "service names");
  }
  if (options_.auth_type == AuthType::kApiKey && options_.auth_config.in == KeyPlace::kQuery)
    next = WithoutParam(next, options_.auth_config.name);
  CALVE_RETURN_IF_ERROR(Remember("link", next));
  link_ = next;
  return Status::Ok();
}

}  // namespace calve::source::api
