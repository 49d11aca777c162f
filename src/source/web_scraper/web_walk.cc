#include "source/web_scraper/web_walk.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "io/uri.h"
#include "source/web_address.h"

namespace calve::source::web_scraper {
namespace {

constexpr int64_t kPagesMax = 100'000;

std::string HexOf(const RowDigest& digest) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char byte : digest) {
    text += kDigits[static_cast<unsigned char>(byte) >> 4];
    text += kDigits[static_cast<unsigned char>(byte) & 15];
  }
  return text;
}

/// The values of a record, so that two share it if and only if they are the same.
std::string ContentOf(const PageRecords::Record& record) {
  std::string content;
  for (const auto& value : record.values)
    content += value.has_value() ? std::to_string(value->size()) + ":" + *value : "-";
  return content;
}

std::string DigestOf(const PageRecords& page) {
  std::string content = Join(page.columns, "\n");
  for (const PageRecords::Record& record : page.records) content += "\n" + ContentOf(record);
  return HexOf(source::DigestOf(content));
}

}  // namespace

Result<std::unique_ptr<WebWalk>> WebWalk::Make(WebClient& client, const WebOptions& options,
                                               std::string start, const WebPosition* known) {
  std::unique_ptr<WebWalk> walk(new WebWalk(client, options, std::move(start), known));
  walk->first_ = walk->start_;
  if (known == nullptr || options.cursor_column.empty()) return walk;
  const auto before = known->records.tables.find(KeyOf(walk->start_));
  CALVE_ASSIGN_OR_RETURN(walk->track_, CursorTrack::Make(options,
                                                         before == known->records.tables.end()
                                                             ? std::optional<TablePosition>()
                                                             : std::optional(before->second),
                                                         options.formats()));
  if (const auto sent = walk->track_->Sent(); sent.has_value()) {
    walk->first_ = WithParams(WithoutParam(walk->start_, options.cursor_param),
                              {{options.cursor_param, *sent}});
  }
  return walk;
}

std::string WebWalk::Url() const {
  if (!link_.empty()) return link_;
  if (!options_.next_page.has_value() || options_.next_page->param.empty()) return first_;
  const NextPageOptions& next = *options_.next_page;
  return WithParams(WithoutParam(first_, next.param),
                    {{next.param, std::to_string(next.first_page + pages_)}});
}

std::string WebWalk::Label() const {
  const std::string shown = io::ShownUri(start_);
  return options_.next_page.has_value() ? shown + " page " + FormatCount(pages_ + 1) : shown;
}

Result<std::optional<WebPage>> WebWalk::Next(const Context& context) {
  while (!ended_) {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    const std::string url = Url();
    if (pages_ == kPagesMax)
      return DataError(io::ShownUri(start_) + " has more than " + FormatCount(kPagesMax) +
                       " pages; see that pages end, or set limit in next_page");
    CALVE_ASSIGN_OR_RETURN(std::optional<WebPage> page, Read(context, url));
    if (page.has_value() && !page->records.records.empty()) return page;
  }
  return std::optional<WebPage>();
}

Result<std::optional<WebPage>> WebWalk::Read(const Context& context, const std::string& url) {
  WebPage page{.label = Label(), .records = {}, .bytes = 0};
  const bool counts_pages = options_.next_page.has_value() && !options_.next_page->param.empty();
  const auto is_the_end = [&](const Error& error) {
    return counts_pages && pages_ > 0 && error.kind == ErrorKind::kNotFound;
  };
  const auto known =
      known_ == nullptr ? decltype(known_->pages.end())() : known_->pages.find(KeyOf(url));
  const bool is_known = known_ != nullptr && known != known_->pages.end();
  Result<WebReply> reply =
      client_.Get(context, page.label, url, is_known ? known->second.validators : Validators{});
  if (!reply.ok()) {
    if (!is_the_end(reply.error())) return std::move(reply).error();
    ended_ = true;
    return std::optional<WebPage>();
  }
  if (reply->is_unchanged && is_known) {
    ++unchanged_;
    const KnownPage as_it_was = known->second;
    CALVE_RETURN_IF_ERROR(GoOn(url, as_it_was, ""));
    if (options_.newest_first) has_left_some_ = ended_ = true;
    return std::optional<WebPage>();
  }
  page.bytes = static_cast<int64_t>(reply->body.size());
  auto text = PageText(std::move(reply->body), reply->content_type, options_.encoding);
  if (!text.ok()) return While(page.label, std::move(text).error());
  auto records = ReadPage(std::move(*text), reply->url, options_);
  if (!records.ok()) {
    Error error = While(page.label, std::move(records).error());
    if (!is_the_end(error)) {
      // The page is there: it is not as the job says.
      if (error.kind == ErrorKind::kNotFound) error.kind = ErrorKind::kData;
      return error;
    }
    ended_ = true;
    return std::optional<WebPage>();
  }
  page.records = std::move(*records);
  KnownPage seen{.validators = reply->validators,
                 .digest = DigestOf(page.records),
                 .next = page.records.next,
                 .records = static_cast<int64_t>(page.records.records.size())};
  const bool is_as_it_was = is_known && known->second.digest == seen.digest;
  unchanged_ += is_as_it_was ? 1 : 0;
  const bool had_records = seen.records > 0;
  if (counts_pages && had_records && seen.digest == last_digest_) {
    return DataError(page.label +
                     " has the same records as the page before; the site seems not to know the "
                     "parameter '" +
                     options_.next_page->param + "': set param to the one that it has");
  }
  last_digest_ = seen.digest;
  CALVE_RETURN_IF_ERROR(is_as_it_was ? Status::Ok() : KeepNew(&page));
  if (is_as_it_was) page.records.records.clear();
  CALVE_RETURN_IF_ERROR(GoOn(url, seen, OriginOf(reply->url)));
  if (options_.newest_first && known_ != nullptr && page.records.records.empty() && !ended_)
    has_left_some_ = ended_ = true;
  return std::optional(std::move(page));
}

Status WebWalk::KeepNew(WebPage* page) {
  if (track_ == nullptr) return Status::Ok();
  const auto& columns = page->records.columns;
  const auto column = std::find(columns.begin(), columns.end(), options_.cursor_column);
  if (column == columns.end()) {
    return ConfigError(
        page->label + " has no column '" + options_.cursor_column + "', which cursor_column names" +
        DidYouMean(options_.cursor_column, columns) + "; its columns are " + Join(columns, ", "));
  }
  const auto index = static_cast<size_t>(column - columns.begin());
  std::vector<PageRecords::Record> kept;
  for (PageRecords::Record& record : page->records.records) {
    if (record.fault.empty()) {
      auto is_new = track_->See(record.values[index], source::DigestOf(ContentOf(record)));
      if (!is_new.ok())
        return While(page->label + " record " + FormatCount(record.number),
                     std::move(is_new).error());
      if (!*is_new) continue;
    }
    kept.push_back(std::move(record));
  }
  page->records.records = std::move(kept);
  return Status::Ok();
}

Status WebWalk::GoOn(const std::string& url, const KnownPage& seen, const std::string& origin) {
  const std::string label = Label();
  if (known_ != nullptr) reached_[KeyOf(url)] = seen;
  been_.insert(source::DigestOf(url));
  ++pages_;
  if (!options_.next_page.has_value()) {
    ended_ = true;
    return Status::Ok();
  }
  const NextPageOptions& next = *options_.next_page;
  // On the last page the link often leads to itself.
  const bool is_last =
      next.param.empty() ? seen.next.empty() || seen.next == url : seen.records == 0;
  if (is_last || (next.limit.has_value() && pages_ == *next.limit)) {
    has_left_some_ = !is_last;
    ended_ = true;
    return Status::Ok();
  }
  if (!next.param.empty()) return Status::Ok();
  if (!origin.empty() && OriginOf(seen.next) != origin) {
    return RefusedError(label + ": the next page is said to be at " + OriginOf(seen.next) +
                        ", and this one is at " + origin +
                        "; pages of another site are read only where urls names it");
  }
  if (been_.contains(source::DigestOf(seen.next))) {
    return DataError(label +
                     ": the next page is one that was read before, so pages go in a circle; "
                     "check what next_page finds");
  }
  link_ = seen.next;
  return Status::Ok();
}

Status WebWalk::AddTo(WebPosition* position) const {
  for (const auto& [key, page] : reached_) position->pages[key] = page;
  if (has_left_some_) {
    for (const auto& [key, page] : known_->pages) position->pages.emplace(key, page);
  }
  if (track_ == nullptr) return Status::Ok();
  CALVE_ASSIGN_OR_RETURN(auto reached, track_->Reached());
  if (reached.has_value()) position->records.tables[KeyOf(start_)] = std::move(*reached);
  return Status::Ok();
}

}  // namespace calve::source::web_scraper
