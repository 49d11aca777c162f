#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "commit/committer.h"
#include "engine/engine.h"
#include "load/load.h"

namespace calve::load {

/// The rows of one job that a table's quarantine holds, given out once more.
///
/// A tag keeps the quarantine's snapshot, from the beginning until every row has had its turn: what
/// becomes of the rows is told by positions within that snapshot, so a replay that died goes on
/// where it was. A property beside the tag says of which loads the rows are: those whose runs have
/// published what else they read. Rows that fail again come to lie beside them under a key of their
/// own; at the end those of the snapshot go.
class QuarantineReplay : public HeldRows {
 public:
  struct Options {
    catalog::TableName table;  ///< Its quarantine is replayed.
    std::string job;
    std::string replay_job;  ///< In the name of which rows that failed again are held back.
    std::string run;
  };
  QuarantineReplay(catalog::Catalog& catalog, io::FileSystem& files, engine::Engine& engine,
                   Options options);
  ~QuarantineReplay() override;

  std::string target() const override { return options_.table.ToString(); }
  Status Begin(const Context& context) override;
  Result<std::optional<HeldChunk>> Next(const Context& context,
                                        const std::optional<commit::Position>& since) override;
  int64_t left() const override { return rows_ - turns_; }
  Result<Outcome> Finish(const Context& context) override;

 private:
  class OneTable;
  std::string tag() const { return "replay_" + options_.job; }
  /// Of the quarantine: the load keys whose rows are replayed.
  std::string property() const { return "calve.replay." + options_.job; }
  Result<bool> GoOn(const Context& context);
  Status BeginAnew(const Context& context);
  Result<bool> Mark(const Context& context);
  bool IsMarked(const iceberg::TableMetadata& table) const;
  Status FindSettledKeys(const Context& context);
  Status FindFiles(const Context& context);
  Result<std::set<std::string>> LivePaths(const Context& context);
  Status CheckLieAsTheyDid(const Context& context, const std::set<std::string>& live);
  Error ChangedByOthers() const;
  Result<int64_t> CountHeldAgain(const Context& context);
  Status LetGo(const Context& context);
  std::string QuotedKeys() const;
  engine::TableResolver* At(iceberg::SnapshotId snapshot);
  /// Rows of the snapshot that have the keys.
  Result<std::unique_ptr<engine::ResultStream>> Select(const Context& context,
                                                       const std::string& columns,
                                                       const std::string& rest);
  /// Write anew the rows that no replay can take.
  Result<std::vector<iceberg::DataFilePtr>> CopyShown(const Context& context);

  catalog::Catalog& catalog_;
  io::FileSystem& files_;
  engine::Engine& engine_;
  const Options options_;
  const catalog::TableName held_name_;
  commit::Committer committer_;
  iceberg::MetadataPtr metadata_;
  iceberg::SnapshotId snapshot_;
  std::unique_ptr<OneTable> table_;
  std::set<std::string> keys_;
  std::vector<iceberg::DataFilePtr> held_;  ///< Of the keys, in the snapshot.
  int64_t rows_ = 0;                        ///< In them, without those for people only.
  int64_t rows_unpublished_ = 0;
  int64_t turns_ = 0;  ///< Of them, how many have had their turn.
};

}  // namespace calve::load
