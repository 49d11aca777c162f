#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "commit/committer.h"
#include "load/held_back.h"
#include "load/load.h"
#include "writer/writer.h"

namespace calve::load {

/// The rows of one run that were held back, on their way to `<table>__quarantine`.
///
/// They are keyed by what the run set out to read: another run over the same position takes their
/// place, so that a rerun never doubles them. Committed before the good rows are staged; their table
/// is made with the first of them. Threads: Open and Close from one, writers side by side.
class Quarantine {
 public:
  struct Options {
    catalog::TableName table;  ///< Of the quarantine itself.
    std::string job;
    std::string run;
    std::string file_tag;  ///< In the names of the files: the run, and which try of it.
    std::string key;       ///< What the run set out to read.
    int64_t now_us = 0;    ///< Microseconds since 1970, UTC.
  };
  Quarantine(commit::Committer& committer, io::FileSystem& files, Options options)
      : committer_(committer), files_(files), options_(std::move(options)) {}

  /// Writes the rows of one split. For one thread.
  class Writer {
   public:
    Writer(Quarantine& quarantine, int split) : quarantine_(quarantine), split_(split) {}
    Status Write(const Context& context, const std::vector<QuarantinedRow>& rows);
    Status Close(const Context& context);
    void Abort(const Context& context);

   private:
    Quarantine& quarantine_;
    int split_;
    std::unique_ptr<writer::DataFileWriter> writer_;
  };

  /// Put the rows of all closed writers in place of those that an earlier run had for the same key.
  Status Commit(const Context& context);
  /// Remove the files of closed writers, when they were not committed.
  Status Abort(const Context& context);
  int64_t rows() const { return rows_; }
  const catalog::TableName& table() const { return options_.table; }

  /// The quarantine's name beside a table.
  static catalog::TableName NameFor(const catalog::TableName& table) {
    return {table.ns, table.name + std::string(kQuarantineSuffix)};
  }

 private:
  /// The table with all columns, or its draft at the first row.
  Result<iceberg::MetadataPtr> Metadata(const Context& context);
  Result<iceberg::MetadataPtr> Find(const Context& context);
  void Take(std::vector<iceberg::DataFilePtr> files);

  commit::Committer& committer_;
  io::FileSystem& files_;
  const Options options_;
  std::mutex mutex_;
  iceberg::MetadataPtr metadata_;
  std::shared_ptr<const commit::NewTable> new_table_;
  std::vector<iceberg::DataFilePtr> closed_;
  int64_t rows_ = 0;
  bool committed_ = false;
};

}  // namespace calve::load
