#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "base/context.h"
#include "base/result.h"
#include "source/api/api_client.h"
#include "source/api/api_options.h"
#include "source/api/page_walk.h"
#include "source/cursor_track.h"

namespace calve::source::api {

/// Whether a JSON record is new to a track. What is no object is: it is held back.
Result<bool> SeeRecord(CursorTrack& track, const ApiOptions& options, std::string_view record);

/// The pages of one endpoint, which several readers take side by side where a parent's records name
/// several targets. Threads: any.
class EndpointPages {
 public:
  /// `options` outlive it. `track`: tells new records from old ones; null: all are new.
  EndpointPages(std::shared_ptr<ApiClient> client, const ApiOptions& options, std::string endpoint,
                std::unique_ptr<CursorTrack> track);

  const std::string& endpoint() const { return endpoint_; }
  const CursorTrack* track() const { return track_.get(); }
  /// A page with records that are new, or nothing at the end. `walk` is the reader's own, null at
  /// first.
  Result<std::optional<Page>> Next(const Context& context, std::unique_ptr<PageWalk>* walk);
  /// Give back pages that were looked at, and the walk that they came from: they are read later.
  void GiveBack(std::deque<Page> pages, std::unique_ptr<PageWalk> walk);

 private:
  Result<std::unique_ptr<PageWalk>> NextWalk(const Context& context);
  Result<Target> TargetOf(const Page& page, const Page::Record& parent) const;
  Target Whole() const;
  /// Add what records get from their parent, and leave out those that are not new.
  Status Finish(const PageWalk& walk, Page* page);
  Status CheckKey(const PageWalk& walk, const Page& page, const Page::Record& record);

  const std::shared_ptr<ApiClient> client_;
  const ApiOptions& options_;
  const std::string endpoint_;
  const std::unique_ptr<CursorTrack> track_;

  std::mutex mutex_;
  std::deque<Page> given_back_;
  std::deque<std::unique_ptr<PageWalk>> waiting_;
  bool started_ = false;
  std::unique_ptr<PageWalk> parents_;  ///< Null without a parent.
  std::optional<Page> parent_page_;
  size_t next_parent_ = 0;
  std::mutex key_mutex_;
  std::set<RowDigest> keys_;
};

}  // namespace calve::source::api
