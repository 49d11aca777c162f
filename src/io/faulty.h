#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "io/file_system.h"

namespace calve::io {

/// The calls that a fault can strike. Read and write count each call on a file, not each file.
enum class FileCall {
  kOpenInput,
  kRead,
  kOpenOutput,
  kWrite,
  kClose,
  kStat,
  kList,
  kDelete,
  kDeleteFolder,
  kCreate,
  kEnsureFolder
};

std::string_view ToString(FileCall call);

/// What a fault does to the call it strikes.
enum class FaultEffect {
  kNone,
  kFailBefore,  ///< Fail with kTransient; nothing was applied.
  kFailAfter,   ///< Apply, then fail: kUnknownOutcome for close and create, kTransient otherwise.
  kShortRead,   ///< Give half of the bytes of a read, as if the file had been cut; other calls are
                ///< spared.
  kDelay,       ///< Hold the call for FaultOptions::delay on the context's terms, then apply it.
  kRefuse,      ///< Fail with kRefused; nothing was applied.
};

/// Decide about the n-th call (from 1) of a run.
using FaultDecision = std::function<FaultEffect(int64_t n, FileCall call, const std::string& uri)>;

struct FaultOptions {
  uint64_t seed = 1;
  FaultDecision decide;  ///< Null strikes none.
  /// After so many bytes written every write fails with kRefused: the disk is full. -1: no limit.
  int64_t disk_bytes_max = -1;
  std::chrono::milliseconds delay{0};
  bool unsynced = false;  ///< Keep what is not synced apart, so that Crash() can drop it.
};

/// Another file system with faults put in, by a seed that replays them. Threads: any.
///
/// With `unsynced` it also plays a power cut: Crash() ends every open output, and undoes by the
/// seed's choice what no durable change has confirmed: files whose Close() or CreateIfAbsent() was
/// applied but failed (kFailAfter), and deletions in folders where nothing was made durable since.
class FaultyFileSystem : public FileSystem {
 public:
  FaultyFileSystem(std::shared_ptr<FileSystem> inner, FaultOptions options);
  ~FaultyFileSystem() override;

  /// Fail the n-th call from 1 with `effect`: the usual `decide`.
  static FaultDecision AtCall(int64_t n, FaultEffect effect);
  /// Strike each call with probability `percent`, drawn from `seed`.
  static FaultDecision Randomly(uint64_t seed, int percent, FaultEffect effect);

  /// How many calls were made.
  int64_t calls() const;

  /// Drop what was not durable, as a power cut does. Files open now can no longer be written or
  /// closed: kRefused. What was durable stays. The faults themselves do not strike in here.
  Status Crash(const Context& context);

  Result<std::unique_ptr<InputFile>> OpenInput(const Context& context, const std::string& uri,
                                               const InputOptions& options = {}) override;
  Result<std::unique_ptr<OutputFile>> OpenOutput(const Context& context, const std::string& uri,
                                                 const OutputOptions& options = {}) override;
  Result<FileInfo> Stat(const Context& context, const std::string& uri) override;
  Status List(const Context& context, const std::string& folder, const ListOptions& options,
              const ListPage& page) override;
  Status Delete(const Context& context, const std::string& uri) override;
  Status DeleteEmptyFolder(const Context& context, const std::string& uri) override;
  Status CreateIfAbsent(const Context& context, const std::string& uri,
                        std::string_view bytes) override;
  Result<Made> EnsureFolder(const Context& context, const std::string& uri) override;
  Result<Capabilities> CapabilitiesFor(const std::string& uri) override;

  struct State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace calve::io
