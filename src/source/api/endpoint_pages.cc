#include "source/api/endpoint_pages.h"

#include <utility>

#include "base/text.h"
#include "source/api/reply.h"

namespace calve::source::api {
namespace {

constexpr size_t kKeysMax = 5'000'000;

Params ParamsOf(const std::map<std::string, std::string>& params) {
  return {params.begin(), params.end()};
}

}  // namespace

Result<bool> SeeRecord(CursorTrack& track, const ApiOptions& options, std::string_view record) {
  if (record.empty() || record.front() != '{') return true;
  const auto found = FindJson(record, KeysOf(options.cursor_column));
  return track.See(found.has_value() ? ScalarText(*found) : std::nullopt,
                   DigestOf(CanonicalJson(record)));
}

EndpointPages::EndpointPages(std::shared_ptr<ApiClient> client, const ApiOptions& options,
                             std::string endpoint, std::unique_ptr<CursorTrack> track)
    : client_(std::move(client)),
      options_(options),
      endpoint_(std::move(endpoint)),
      track_(std::move(track)) {
  if (!options_.parent.has_value()) return;
  const ParentOptions& parent = *options_.parent;
  parents_ = std::make_unique<PageWalk>(*client_, options_,
                                        Target{.label = parent.endpoint,
                                               .endpoint = parent.endpoint,
                                               .params = ParamsOf(parent.params),
                                               .records_path = parent.records_path,
                                               .included = {}});
}

Target EndpointPages::Whole() const {
  Target target{.label = endpoint_,
                .endpoint = endpoint_,
                .params = ParamsOf(options_.params),
                .records_path = options_.records_path,
                .included = {}};
  const auto since = track_ == nullptr ? std::nullopt : track_->Sent();
  if (since.has_value()) target.params.emplace_back(options_.cursor_param, *since);
  return target;
}

Result<Target> EndpointPages::TargetOf(const Page& page, const Page::Record& parent) const {
  const std::string place = page.label + " record " + FormatCount(parent.number);
  CALVE_ASSIGN_OR_RETURN(const auto names, PlaceholdersOf(endpoint_));
  Target target = Whole();
  for (const std::string& name : names) {
    const auto found = FindJson(parent.text, KeysOf(name));
    const auto text = found.has_value() ? ScalarText(*found) : std::nullopt;
    if (!text.has_value() || text->empty()) {
      return DataError(place + " has no " + name + ", which " + endpoint_ +
                       " takes; name a field that every record of the parent has");
    }
    const std::string hole = "{" + name + "}";
    const std::string filled = io::PercentEncode(*text);
    for (std::string* path : {&target.endpoint, &target.label}) {
      const size_t at = path->find(hole);
      if (at != std::string::npos) path->replace(at, hole.size(), filled);
    }
  }
  for (const auto& [column, field] : options_.parent->include) {
    const auto found = FindJson(parent.text, KeysOf(field));
    if (!found.has_value()) {
      return DataError(place + " has no " + field +
                       ", which include names; name a field that every "
                       "record of the parent has");
    }
    target.included += Quote(column) + ":" + std::string(*found) + ",";
  }
  return target;
}

Result<std::unique_ptr<PageWalk>> EndpointPages::NextWalk(const Context& context) {
  std::lock_guard lock(mutex_);
  std::unique_ptr<PageWalk> walk;
  if (!waiting_.empty()) {
    walk = std::move(waiting_.front());
    waiting_.pop_front();
    return walk;
  }
  if (parents_ == nullptr) {
    if (!std::exchange(started_, true))
      walk = std::make_unique<PageWalk>(*client_, options_, Whole());
    return walk;
  }
  while (!parent_page_.has_value() || next_parent_ == parent_page_->records.size()) {
    CALVE_ASSIGN_OR_RETURN(parent_page_, parents_->Next(context));
    next_parent_ = 0;
    if (!parent_page_.has_value()) return walk;
  }
  CALVE_ASSIGN_OR_RETURN(Target target,
                         TargetOf(*parent_page_, parent_page_->records[next_parent_++]));
  walk = std::make_unique<PageWalk>(*client_, options_, std::move(target));
  return walk;
}

Result<std::optional<Page>> EndpointPages::Next(const Context& context,
                                                std::unique_ptr<PageWalk>* walk) {
  {
    std::lock_guard lock(mutex_);
    if (!given_back_.empty()) {
      std::optional<Page> page = std::move(given_back_.front());
      given_back_.pop_front();
      return page;
    }
  }
  while (true) {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    if (*walk == nullptr) {
      CALVE_ASSIGN_OR_RETURN(*walk, NextWalk(context));
      if (*walk == nullptr) return std::optional<Page>();
    }
    CALVE_ASSIGN_OR_RETURN(std::optional<Page> page, (*walk)->Next(context));
    if (!page.has_value()) {
      walk->reset();
      continue;
    }
    CALVE_RETURN_IF_ERROR(Finish(**walk, &*page));
    if (!page->records.empty()) return page;
  }
}

void EndpointPages::GiveBack(std::deque<Page> pages, std::unique_ptr<PageWalk> walk) {
  std::lock_guard lock(mutex_);
  given_back_ = std::move(pages);
  if (walk != nullptr) waiting_.push_back(std::move(walk));
}

Status EndpointPages::CheckKey(const PageWalk& walk, const Page& page, const Page::Record& record) {
  const auto found = FindJson(record.text, KeysOf(options_.key));
  const auto text = found.has_value() ? ScalarText(*found) : std::nullopt;
  const std::string place = page.label + " record " + FormatCount(record.number);
  if (!text.has_value()) {
    return DataError(place + " has no value in " + options_.key +
                     ", which tells records apart; set key to a field that every record has");
  }
  std::lock_guard lock(key_mutex_);
  if (!keys_.insert(DigestOf(walk.target().label + "\n" + *text)).second) {
    return DataError(place + " has the " + options_.key + " " + Quote(text->substr(0, 60)) +
                     ", which a record before had; records moved while pages were read: run again, "
                     "or let params sort them by a field that does not change");
  }
  if (keys_.size() > kKeysMax) {
    return RefusedError(endpoint_ + " has more than " + FormatCount(kKeysMax) +
                        " records, too many to tell apart by key; leave out key");
  }
  return Status::Ok();
}

Status EndpointPages::Finish(const PageWalk& walk, Page* page) {
  std::vector<Page::Record> kept;
  kept.reserve(page->records.size());
  for (Page::Record& record : page->records) {
    const bool is_object = !record.text.empty() && record.text.front() == '{';
    if (is_object && !options_.key.empty()) CALVE_RETURN_IF_ERROR(CheckKey(walk, *page, record));
    if (is_object && !walk.target().included.empty()) {
      std::string& made = page->made.emplace_back("{" + walk.target().included);
      made += Trim(record.text.substr(1));
      // Of an empty object the last comma goes.
      if (const size_t last = made.size() - 1; made[last - 1] == ',') made.erase(last - 1, 1);
      record.text = made;
    }
    if (track_ != nullptr) {
      auto is_new = SeeRecord(*track_, options_, record.text);
      if (!is_new.ok()) {
        return While(page->label + " record " + FormatCount(record.number),
                     std::move(is_new).error());
      }
      if (!*is_new) continue;
    }
    kept.push_back(record);
  }
  page->records = std::move(kept);
  return Status::Ok();
}

}  // namespace calve::source::api
