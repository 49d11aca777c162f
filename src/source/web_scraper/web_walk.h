#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/context.h"
#include "base/result.h"
#include "source/cursor_track.h"
#include "source/web_scraper/page_records.h"
#include "source/web_scraper/web_client.h"
#include "source/web_scraper/web_options.h"
#include "source/web_scraper/web_position.h"

namespace calve::source::web_scraper {

/// A page with its new records.
struct WebPage {
  std::string label;  ///< "https://example.com/data page 3"
  PageRecords records;
  int64_t bytes = 0;
};

/// Reads the pages that begin at one address, one after the other, and tells new records from old
/// ones. Fails with kData where pages go in a circle. For one thread at a time.
class WebWalk {
 public:
  /// `known`: where the last run has ended; null when the job is not incremental. All outlive it.
  static Result<std::unique_ptr<WebWalk>> Make(WebClient& client, const WebOptions& options,
                                               std::string start, const WebPosition* known);

  const std::string& start() const { return start_; }
  /// The next page with new records; nothing at the end.
  Result<std::optional<WebPage>> Next(const Context& context);
  int64_t pages() const { return pages_; }
  /// Pages that were as the last run had them.
  int64_t unchanged() const { return unchanged_; }
  /// Add what this walk has reached to a position.
  Status AddTo(WebPosition* position) const;

 private:
  WebWalk(WebClient& client, const WebOptions& options, std::string start, const WebPosition* known)
      : client_(client), options_(options), start_(std::move(start)), known_(known) {}

  std::string Url() const;
  std::string Label() const;
  /// Read the page at an address, or see that it is as it was.
  Result<std::optional<WebPage>> Read(const Context& context, const std::string& url);
  Status KeepNew(WebPage* page);
  /// `origin`: of where the page was found; "": the link was judged before.
  Status GoOn(const std::string& url, const KnownPage& seen, const std::string& origin);

  WebClient& client_;
  const WebOptions& options_;
  const std::string start_;
  const WebPosition* const known_;
  std::unique_ptr<CursorTrack> track_;  ///< Null: all records are new.
  std::string first_;                   ///< Where reading begins, with the cursor's parameter.
  std::string link_;                    ///< Of the next page.
  std::string last_digest_;             ///< Of the page before.
  int64_t pages_ = 0;
  int64_t unchanged_ = 0;
  bool ended_ = false;
  bool has_left_some_ = false;                ///< Pages that the last run knew were not asked for.
  std::set<RowDigest> been_;                  ///< Addresses.
  std::map<std::string, KnownPage> reached_;  ///< By the keys of their addresses.
};

}  // namespace calve::source::web_scraper
