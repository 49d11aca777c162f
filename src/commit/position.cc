#include "commit/position.h"

#include <nlohmann/json.hpp>
#include <string>

#include "base/text.h"
#include "catalog/metadata_store.h"
#include "commit/own_files.h"
#include "commit/proof.h"
#include "iceberg/puffin.h"

namespace calve::commit {
namespace {

using iceberg::Snapshot;
using iceberg::TableMetadata;

constexpr std::string_view kLedgerType = "calve-ledger-v1";

/// Begins the property that holds a pipeline's position when the snapshot that had it is expired.
constexpr std::string_view kKeptPosition = "calve.position.";

bool HoldsPosition(const Snapshot& snapshot, const std::string& pipeline) {
  const auto owner = snapshot.summary.find(std::string(summary::kPipeline));
  const bool ours = owner != snapshot.summary.end() && owner->second == pipeline;
  return ours && snapshot.summary.contains(std::string(summary::kPosition));
}

HeldPosition PositionOf(const Snapshot& snapshot) {
  return {.snapshot_id = snapshot.id,
          .state = SummaryText(snapshot, summary::kPosition),
          .ledger = SummaryText(snapshot, summary::kLedger)};
}

/// The position that was kept when its snapshot was expired; nothing when there is none.
Result<std::optional<HeldPosition>> KeptPosition(const TableMetadata& metadata,
                                                 const std::string& pipeline) {
  const std::string name = std::string(kKeptPosition) + pipeline;
  const std::string text(metadata.Property(name, ""));
  if (text.empty()) return std::optional<HeldPosition>();
  const auto kept = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  const bool is_whole = kept.is_object() && kept.contains("snapshot-id") &&
                        kept["snapshot-id"].is_number_integer() && kept.contains("state") &&
                        kept["state"].is_string();
  if (!is_whole) {
    return DataError("table property " + name +
                     ": expected the position of a job as calve writes it, found " + Quote(text));
  }
  return HeldPosition{.snapshot_id = iceberg::SnapshotId(kept["snapshot-id"].get<int64_t>()),
                      .state = kept["state"],
                      .ledger = kept.value("ledger", "")};
}

Result<std::string> ReadLedger(const Context& context, io::FileSystem& files,
                               const std::string& uri) {
  CALVE_ASSIGN_OR_RETURN(const std::string bytes, files.ReadFile(context, uri));
  CALVE_ASSIGN_OR_RETURN(const iceberg::PuffinFooter footer, iceberg::ReadPuffinFooter(bytes));
  for (const iceberg::PuffinBlob& blob : footer.blobs) {
    if (blob.type == kLedgerType) return iceberg::ReadPuffinBlob(bytes, blob);
  }
  return DataError("it holds no ledger of calve");
}

}  // namespace

std::map<std::string, std::string> KeepPositions(const TableMetadata& metadata,
                                                 const std::set<iceberg::SnapshotId>& expired) {
  std::set<std::string> seen;
  std::map<std::string, std::string> properties;
  bool is_cut = false;
  for (const Snapshot* at = metadata.current_snapshot(); at != nullptr;
       at = at->parent_id.has_value() ? metadata.FindSnapshot(*at->parent_id) : nullptr) {
    // Behind the first one that goes the line cannot be walked, whatever stays there.
    is_cut |= expired.contains(at->id);
    const std::string pipeline = SummaryText(*at, summary::kPipeline);
    if (!HoldsPosition(*at, pipeline) || !seen.insert(pipeline).second || !is_cut) continue;
    nlohmann::json kept = {{"snapshot-id", at->id.value()},
                           {"state", SummaryText(*at, summary::kPosition)}};
    if (const std::string ledger = SummaryText(*at, summary::kLedger); !ledger.empty())
      kept["ledger"] = ledger;
    properties[std::string(kKeptPosition) + pipeline] = kept.dump();
  }
  return properties;
}

std::vector<std::string> KeptLedgers(const TableMetadata& metadata) {
  std::vector<std::string> ledgers;
  for (auto at = metadata.properties.lower_bound(std::string(kKeptPosition));
       at != metadata.properties.end() && at->first.starts_with(kKeptPosition); ++at) {
    const auto kept = nlohmann::json::parse(at->second, nullptr, /*allow_exceptions=*/false);
    if (kept.is_object() && kept.contains("ledger") && kept["ledger"].is_string())
      ledgers.push_back(kept["ledger"]);
  }
  return ledgers;
}

Result<NewestPosition> FindNewestPosition(const Context& context, const MainLine& main,
                                          const catalog::LoadedTable& loaded,
                                          const std::string& pipeline) {
  CALVE_ASSIGN_OR_RETURN(MainLine::Walk walk, main.Find(context, loaded, [&](const Snapshot& s) {
    return HoldsPosition(s, pipeline);
  }));
  NewestPosition newest{.held = {}, .whole = walk.whole};
  if (walk.found.has_value()) {
    newest.held = PositionOf(*walk.found);
  } else if (!walk.whole) {
    CALVE_ASSIGN_OR_RETURN(newest.held, KeptPosition(*loaded.metadata, pipeline));
  }
  return newest;
}

Result<std::optional<FoundPosition>> FindPosition(const Context& context, io::FileSystem& files,
                                                  MainLine main, const catalog::LoadedTable& loaded,
                                                  const std::string& pipeline, bool expected) {
  CALVE_ASSIGN_OR_RETURN(NewestPosition newest,
                         FindNewestPosition(context, main, loaded, pipeline));
  std::optional<HeldPosition>& written = newest.held;
  if (!written.has_value()) {
    if (newest.whole || !expected) return std::optional<FoundPosition>();
    return RefusedError("job " + pipeline +
                        " has committed a position before, but its snapshot was expired from the "
                        "table: going on would read everything again "
                        "and double rows. Roll the table back to a snapshot that has it, or give "
                        "the job another name to start anew");
  }
  FoundPosition found{.position = {.state = std::move(written->state), .ledger = {}},
                      .snapshot_id = written->snapshot_id};
  if (!written->ledger.empty()) {
    Result<std::string> text = ReadLedger(context, files, written->ledger);
    if (!text.ok())
      return While("read the position of " + pipeline + " from " + written->ledger,
                   std::move(text).error());
    found.position.ledger = std::move(*text);
  }
  return std::optional<FoundPosition>(std::move(found));
}

Result<std::string> WriteLedger(const Context& context, io::FileSystem& files,
                                const TableMetadata& metadata, const std::string& run,
                                const std::string& ledger) {
  iceberg::PuffinWriter puffin;
  CALVE_RETURN_IF_ERROR(
      puffin.Add({.type = std::string(kLedgerType), .codec = iceberg::PuffinCodec::kZstd}, ledger));
  const std::string uri = catalog::MetadataFolder(metadata) + "/" + ToLower(run) + "-" +
                          NewUuidString(*context.random).substr(0, 8) + "-ledger.puffin";
  CALVE_RETURN_IF_ERROR(
      files.WriteFile(context, uri, std::move(puffin).Finish({{"created-by", "calve"}})));
  return uri;
}

}  // namespace calve::commit
