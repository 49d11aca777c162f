#include "commit/position.h"

#include <string>

#include "base/text.h"
#include "catalog/metadata_store.h"
#include "commit/proof.h"
#include "iceberg/puffin.h"

namespace calve::commit {
namespace {

using iceberg::Snapshot;
using iceberg::TableMetadata;

constexpr std::string_view kLedgerType = "calve-ledger-v1";

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

bool HoldsPosition(const Snapshot& snapshot, const std::string& pipeline) {
  const auto owner = snapshot.summary.find(std::string(summary::kPipeline));
  const bool ours = owner != snapshot.summary.end() && owner->second == pipeline;
  return ours && snapshot.summary.contains(std::string(summary::kPosition));
}

Result<std::optional<FoundPosition>> FindPosition(const Context& context, io::FileSystem& files,
                                                  MainLine main, const catalog::LoadedTable& loaded,
                                                  const std::string& pipeline, bool expected) {
  CALVE_ASSIGN_OR_RETURN(const MainLine::Walk walk,
                         main.Find(context, loaded, [&](const Snapshot& snapshot) {
                           return HoldsPosition(snapshot, pipeline);
                         }));
  if (!walk.found.has_value()) {
    if (walk.whole || !expected) return std::optional<FoundPosition>();
    return RefusedError("job " + pipeline +
                        " has committed a position before, but its snapshot was expired from the "
                        "table: going on would read everything again "
                        "and double rows. Roll the table back to a snapshot that has it, or give "
                        "the job another name to start anew");
  }
  const Snapshot* snapshot = &*walk.found;
  FoundPosition found{
      .position = {.state = snapshot->summary.at(std::string(summary::kPosition)), .ledger = {}},
      .snapshot_id = snapshot->id};
  const auto ledger = snapshot->summary.find(std::string(summary::kLedger));
  if (ledger != snapshot->summary.end()) {
    Result<std::string> text = ReadLedger(context, files, ledger->second);
    if (!text.ok())
      return While("read the position of " + pipeline + " from " + ledger->second,
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
