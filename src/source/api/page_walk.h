#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "source/api/api_client.h"
#include "source/api/api_options.h"
#include "source/table_position.h"

namespace calve::source::api {

/// What is asked for, page by page.
struct Target {
  std::string label;     ///< For people: "customers/7/orders".
  std::string endpoint;  ///< Below base_url, encoded.
  Params params;         ///< Beside those of the pagination.
  std::string records_path;
  std::string included;  ///< Keys and values of the parent that each record gets, as JSON has them.
};

/// The records of one reply.
struct Page {
  struct Record {
    std::string_view text;
    int64_t number = 0;  ///< From 1, in the reply.
  };
  std::string label;  ///< "orders page 3"
  std::shared_ptr<const std::string> body;
  std::vector<Record> records;
  std::deque<std::string> made;  ///< Texts of records that are not in the body as they are.
  int64_t bytes = 0;
};

/// Asks for the pages of one target, one after the other. Fails with kData where pages go in a
/// circle, or tell that the records changed while they were read. For one thread.
class PageWalk {
 public:
  /// `client` and `options` outlive it.
  PageWalk(ApiClient& client, const ApiOptions& options, Target target);

  const Target& target() const { return target_; }
  /// The next page, with or without records; nothing at the end.
  Result<std::optional<Page>> Next(const Context& context);

 private:
  struct Reply {
    io::HttpResponse http;
    std::vector<std::string_view> records;
  };
  std::string Url() const;
  std::string Body() const;
  Params PageParams() const;
  std::string Label() const;
  /// What a reply has at a path, of its body or a header.
  std::optional<std::string> TextAt(const Reply& reply, const std::string& path) const;
  Result<std::optional<bool>> TellsMore(const Reply& reply) const;
  Status GoOn(const Reply& reply);
  Status CountOn(const Reply& reply, std::optional<bool> more);
  Status CheckTotal(const Reply& reply);
  Status FollowCursor(const Reply& reply, std::optional<bool> more);
  Status FollowLink(const Reply& reply);
  /// Note a cursor or link; fails when it was there before.
  Status Remember(const std::string& what, const std::string& text);

  ApiClient& client_;
  const ApiOptions& options_;
  const Target target_;
  int64_t pages_ = 0;    ///< Read so far.
  int64_t records_ = 0;  ///< In them.
  bool ended_ = false;
  std::string cursor_;  ///< Of the next page; "" before the first.
  std::string link_;    ///< Its address; "" before the first.
  std::optional<int64_t> total_;
  std::optional<RowDigest> last_page_;
  std::set<RowDigest> been_;
};

/// The address of the relation next in a header Link; "" when it has none.
std::string NextOf(std::string_view header);

}  // namespace calve::source::api
