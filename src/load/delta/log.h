#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "io/file_system.h"

namespace calve::load::delta {

/// A data file of a table (Delta's protocol, Add File).
struct AddedFile {
  std::string path;  ///< As the log has it: relative to the table, percent-encoded, or an address.
  std::map<std::string, std::optional<std::string>> partition_values;
  int64_t size = 0;
  int64_t rows = -1;  ///< -1: the log does not say.
};

struct Metadata {
  std::string id;
  std::string schema;  ///< JSON
  std::vector<std::string> partition_columns;
  std::map<std::string, std::string> configuration;
  int64_t created_ms = 0;
  std::string name;
  std::string description;
  bool operator==(const Metadata&) const = default;
};

struct Protocol {
  int reader = 1;
  int writer = 2;
  std::vector<std::string> reader_features;
  std::vector<std::string> writer_features;
  bool operator==(const Protocol&) const = default;
};

/// A table at one version.
struct Snapshot {
  int64_t version = -1;
  Protocol protocol;
  Metadata metadata;
  std::map<std::string, AddedFile> files;       ///< By path.
  std::set<std::string> removed;                ///< Paths that are no longer in the table.
  std::map<std::string, int64_t> transactions;  ///< Versions of `txn`, by application.
  bool has_deletion_vectors = false;
};

/// The log of one table, in its folder _delta_log.
class Log {
 public:
  Log(io::FileSystem& files, std::string location)
      : files_(files), location_(std::move(location)) {}

  const std::string& location() const { return location_; }
  /// The table as it is now: the newest checkpoint, and the entries behind it; nothing when there is
  /// no log. Fails with kRefused on a log that cannot be read in this way.
  Result<std::optional<Snapshot>> Read(const Context& context) const;

  /// Write the entry of a version, one action a line. False when there is another of that version.
  Result<bool> Write(const Context& context, int64_t version,
                     const std::vector<std::string>& actions) const;

 private:
  std::string PathOf(int64_t version) const;
  /// Of the checkpoint that is to be read; nothing when there is none.
  struct Listing {
    std::vector<int64_t> entries;
    int64_t checkpoint = -1;
    std::vector<std::string> parts;
  };
  Result<Listing> List(const Context& context) const;
  Status ReadCheckpoint(const Context& context, const std::string& uri, Snapshot* snapshot) const;

  io::FileSystem& files_;
  const std::string location_;
};

/// Why calve cannot write such a table; empty when it can. `overwrites`: whether files are removed.
std::string WhyNotWritten(const Snapshot& snapshot, bool overwrites);

// Actions, as lines of an entry.

std::string PrintProtocol(const Protocol& protocol);
std::string PrintMetadata(const Metadata& metadata);
/// `stats`: JSON, or empty.
std::string PrintAdd(const AddedFile& file, int64_t now_ms, const std::string& stats);
std::string PrintRemove(const AddedFile& file, int64_t now_ms);
std::string PrintTransaction(const std::string& application, int64_t version, int64_t now_ms);
struct CommitInfo {
  std::string mode;  ///< "Append", "Overwrite"
  std::vector<std::string> partition_columns;
  std::string job;
  std::string run;
  int64_t now_ms = 0;
};
std::string PrintCommitInfo(const CommitInfo& info);

}  // namespace calve::load::delta
