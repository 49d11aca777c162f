#include "io/faulty.h"

#include <atomic>
#include <map>
#include <utility>

#include "base/retry.h"
#include "base/text.h"
#include "io/uri.h"

namespace calve::io {

struct FaultyFileSystem::State {
  State(std::shared_ptr<FileSystem> files, FaultOptions given)
      : inner(std::move(files)), options(std::move(given)), random(options.seed) {}

  /// Count a call, hold it if so decided, and say what else happens to it.
  Result<FaultEffect> Strike(const Context& context, FileCall call, const std::string& uri) {
    const int64_t n = ++calls;
    const FaultEffect effect = options.decide ? options.decide(n, call, uri) : FaultEffect::kNone;
    const auto message = [&](std::string_view what) {
      return "injected fault at call " + std::to_string(n) + " (" + std::string(ToString(call)) +
             " " + Quote(uri) + "): " + std::string(what);
    };
    switch (effect) {
      case FaultEffect::kFailBefore:
        return TransientError(message("it was not applied"));
      case FaultEffect::kRefuse:
        return RefusedError(message("it is refused"));
      case FaultEffect::kDelay:
        CALVE_RETURN_IF_ERROR(Sleep(context, options.delay));
        return FaultEffect::kNone;
      case FaultEffect::kNone:
      case FaultEffect::kFailAfter:
      case FaultEffect::kShortRead:
        break;
    }
    return effect;
  }

  /// The error that hides a success.
  static Error Hidden(FileCall call, const std::string& uri) {
    const std::string message = "injected fault: " + std::string(ToString(call)) + " " +
                                Quote(uri) + " was applied, and its reply lost";
    const bool unknown = call == FileCall::kClose || call == FileCall::kCreate;
    return unknown ? UnknownOutcomeError(message) : TransientError(message);
  }

  Status TakeSpace(size_t bytes) {
    const int64_t used =
        written.fetch_add(static_cast<int64_t>(bytes)) + static_cast<int64_t>(bytes);
    if (options.disk_bytes_max < 0 || used <= options.disk_bytes_max) return Status::Ok();
    written -= static_cast<int64_t>(bytes);
    return RefusedError("injected fault: the disk is full");
  }

  /// Note that the file is there, for sure or perhaps; what is for sure settles its folder's
  /// deletions.
  void NoteMade(const std::string& uri, bool durable) {
    if (!options.unsynced) return;
    std::lock_guard lock(mutex);
    if (!durable) {
      doubtful[uri] = std::nullopt;
      return;
    }
    doubtful.erase(uri);
    const std::string folder = ParentUri(uri);
    std::erase_if(doubtful, [&](const auto& entry) {
      return entry.second.has_value() && ParentUri(entry.first) == folder;
    });
  }

  const std::shared_ptr<FileSystem> inner;
  const FaultOptions options;
  std::atomic<int64_t> calls{0};
  std::atomic<int64_t> written{0};
  std::atomic<int64_t> crashes{0};
  Random random;
  std::mutex mutex;
  /// What a crash may undo: a file made (nothing) or deleted (the bytes that it had).
  std::map<std::string, std::optional<std::string>> doubtful;
};

namespace {

class FaultyInput : public InputFile {
 public:
  FaultyInput(const Context& context, std::unique_ptr<InputFile> inner,
              std::shared_ptr<FaultyFileSystem::State> state)
      : context_(context), inner_(std::move(inner)), state_(std::move(state)) {}

  const std::string& uri() const override { return inner_->uri(); }
  ByteCount size() const override { return inner_->size(); }

  Result<size_t> ReadInto(int64_t offset, std::span<char> out) override {
    CALVE_ASSIGN_OR_RETURN(const FaultEffect effect,
                           state_->Strike(context_, FileCall::kRead, uri()));
    if (effect == FaultEffect::kShortRead) out = out.first(out.size() / 2);
    CALVE_ASSIGN_OR_RETURN(const size_t got, inner_->ReadInto(offset, out));
    if (effect == FaultEffect::kFailAfter) {
      return FaultyFileSystem::State::Hidden(FileCall::kRead, uri());
    }
    return got;
  }

 private:
  Context context_;
  std::unique_ptr<InputFile> inner_;
  std::shared_ptr<FaultyFileSystem::State> state_;
};

class FaultyOutput : public OutputFile {
 public:
  FaultyOutput(const Context& context, std::unique_ptr<OutputFile> inner,
               std::shared_ptr<FaultyFileSystem::State> state)
      : context_(context),
        inner_(std::move(inner)),
        state_(std::move(state)),
        opened_before_crash_(state_->crashes) {}

  const std::string& uri() const override { return inner_->uri(); }
  ByteCount position() const override { return inner_->position(); }

  Status Write(std::string_view bytes) override {
    CALVE_RETURN_IF_ERROR(CheckAlive());
    CALVE_ASSIGN_OR_RETURN(const FaultEffect effect,
                           state_->Strike(context_, FileCall::kWrite, uri()));
    CALVE_RETURN_IF_ERROR(state_->TakeSpace(bytes.size()));
    CALVE_RETURN_IF_ERROR(inner_->Write(bytes));
    if (effect == FaultEffect::kFailAfter) {
      return FaultyFileSystem::State::Hidden(FileCall::kWrite, uri());
    }
    return Status::Ok();
  }

  Result<ByteCount> Close() override {
    CALVE_RETURN_IF_ERROR(CheckAlive());
    CALVE_ASSIGN_OR_RETURN(const FaultEffect effect,
                           state_->Strike(context_, FileCall::kClose, uri()));
    CALVE_ASSIGN_OR_RETURN(const ByteCount size, inner_->Close());
    const bool hidden = effect == FaultEffect::kFailAfter;
    state_->NoteMade(uri(), !hidden);
    if (hidden) return FaultyFileSystem::State::Hidden(FileCall::kClose, uri());
    return size;
  }

  void Abort() override { inner_->Abort(); }

 private:
  Status CheckAlive() {
    if (state_->crashes == opened_before_crash_) return Status::Ok();
    inner_->Abort();
    return RefusedError("the machine went down while " + Quote(uri()) + " was written");
  }

  Context context_;
  std::unique_ptr<OutputFile> inner_;
  std::shared_ptr<FaultyFileSystem::State> state_;
  const int64_t opened_before_crash_;
};

}  // namespace

std::string_view ToString(FileCall call) {
  switch (call) {
    case FileCall::kOpenInput:
      return "open";
    case FileCall::kRead:
      return "read";
    case FileCall::kOpenOutput:
      return "start";
    case FileCall::kWrite:
      return "write";
    case FileCall::kClose:
      return "close";
    case FileCall::kStat:
      return "stat";
    case FileCall::kList:
      return "list";
    case FileCall::kDelete:
      return "delete";
    case FileCall::kDeleteFolder:
      return "delete folder";
    case FileCall::kCreate:
      return "create";
    case FileCall::kEnsureFolder:
      return "make folder";
  }
  return "unknown";
}

FaultyFileSystem::FaultyFileSystem(std::shared_ptr<FileSystem> inner, FaultOptions options)
    : state_(std::make_shared<State>(std::move(inner), std::move(options))) {}
FaultyFileSystem::~FaultyFileSystem() = default;

FaultDecision FaultyFileSystem::AtCall(int64_t n, FaultEffect effect) {
  return [n, effect](int64_t call, FileCall, const std::string&) {
    return call == n ? effect : FaultEffect::kNone;
  };
}

FaultDecision FaultyFileSystem::Randomly(uint64_t seed, int percent, FaultEffect effect) {
  auto random = std::make_shared<Random>(seed);
  return [random, percent, effect](int64_t, FileCall, const std::string&) {
    return random->Below(100) < static_cast<uint64_t>(percent) ? effect : FaultEffect::kNone;
  };
}

int64_t FaultyFileSystem::calls() const { return state_->calls; }

Status FaultyFileSystem::Crash(const Context& context) {
  ++state_->crashes;
  std::lock_guard lock(state_->mutex);
  for (const auto& [uri, deleted] : std::exchange(state_->doubtful, {})) {
    if (state_->random.Below(2) == 0) continue;  // it reached the disk after all
    if (!deleted) {
      CALVE_RETURN_IF_ERROR(state_->inner->Delete(context, uri));
      continue;
    }
    auto restored = state_->inner->WriteFile(context, uri, *deleted);
    if (!restored.ok() && restored.error().kind != ErrorKind::kAlreadyExists) {
      return std::move(restored).error();
    }
  }
  return Status::Ok();
}

Result<std::unique_ptr<InputFile>> FaultyFileSystem::OpenInput(const Context& context,
                                                               const std::string& uri,
                                                               const InputOptions& options) {
  CALVE_ASSIGN_OR_RETURN(const FaultEffect effect,
                         state_->Strike(context, FileCall::kOpenInput, uri));
  CALVE_ASSIGN_OR_RETURN(auto file, state_->inner->OpenInput(context, uri, options));
  if (effect == FaultEffect::kFailAfter) return State::Hidden(FileCall::kOpenInput, uri);
  return std::make_unique<FaultyInput>(context, std::move(file), state_);
}

Result<std::unique_ptr<OutputFile>> FaultyFileSystem::OpenOutput(const Context& context,
                                                                 const std::string& uri,
                                                                 const OutputOptions& options) {
  CALVE_ASSIGN_OR_RETURN(const FaultEffect effect,
                         state_->Strike(context, FileCall::kOpenOutput, uri));
  CALVE_ASSIGN_OR_RETURN(auto file, state_->inner->OpenOutput(context, uri, options));
  if (effect == FaultEffect::kFailAfter) return State::Hidden(FileCall::kOpenOutput, uri);
  return std::make_unique<FaultyOutput>(context, std::move(file), state_);
}

Result<FileInfo> FaultyFileSystem::Stat(const Context& context, const std::string& uri) {
  CALVE_ASSIGN_OR_RETURN(const FaultEffect effect, state_->Strike(context, FileCall::kStat, uri));
  if (effect == FaultEffect::kFailAfter) return State::Hidden(FileCall::kStat, uri);
  return state_->inner->Stat(context, uri);
}

Status FaultyFileSystem::List(const Context& context, const std::string& folder,
                              const ListOptions& options, const ListPage& page) {
  CALVE_ASSIGN_OR_RETURN(const FaultEffect effect,
                         state_->Strike(context, FileCall::kList, folder));
  CALVE_RETURN_IF_ERROR(state_->inner->List(context, folder, options, page));
  if (effect == FaultEffect::kFailAfter) return State::Hidden(FileCall::kList, folder);
  return Status::Ok();
}

Status FaultyFileSystem::Delete(const Context& context, const std::string& uri) {
  CALVE_ASSIGN_OR_RETURN(const FaultEffect effect, state_->Strike(context, FileCall::kDelete, uri));
  std::optional<std::string> before;
  if (state_->options.unsynced) {
    auto bytes = state_->inner->ReadFile(context, uri);
    if (bytes.ok()) before = *std::move(bytes);
  }
  CALVE_RETURN_IF_ERROR(state_->inner->Delete(context, uri));
  if (before) {
    std::lock_guard lock(state_->mutex);
    state_->doubtful[uri] = std::move(before);
  }
  if (effect == FaultEffect::kFailAfter) return State::Hidden(FileCall::kDelete, uri);
  return Status::Ok();
}

Status FaultyFileSystem::DeleteEmptyFolder(const Context& context, const std::string& uri) {
  CALVE_ASSIGN_OR_RETURN(const FaultEffect effect,
                         state_->Strike(context, FileCall::kDeleteFolder, uri));
  CALVE_RETURN_IF_ERROR(state_->inner->DeleteEmptyFolder(context, uri));
  if (effect == FaultEffect::kFailAfter) return State::Hidden(FileCall::kDeleteFolder, uri);
  return Status::Ok();
}

Status FaultyFileSystem::CreateIfAbsent(const Context& context, const std::string& uri,
                                        std::string_view bytes) {
  CALVE_ASSIGN_OR_RETURN(const FaultEffect effect, state_->Strike(context, FileCall::kCreate, uri));
  CALVE_RETURN_IF_ERROR(state_->TakeSpace(bytes.size()));
  CALVE_RETURN_IF_ERROR(state_->inner->CreateIfAbsent(context, uri, bytes));
  const bool hidden = effect == FaultEffect::kFailAfter;
  state_->NoteMade(uri, !hidden);
  if (hidden) return State::Hidden(FileCall::kCreate, uri);
  return Status::Ok();
}

Result<Made> FaultyFileSystem::EnsureFolder(const Context& context, const std::string& uri) {
  CALVE_ASSIGN_OR_RETURN(const FaultEffect effect,
                         state_->Strike(context, FileCall::kEnsureFolder, uri));
  CALVE_ASSIGN_OR_RETURN(const Made made, state_->inner->EnsureFolder(context, uri));
  if (effect == FaultEffect::kFailAfter) return State::Hidden(FileCall::kEnsureFolder, uri);
  return made;
}

Result<Capabilities> FaultyFileSystem::CapabilitiesFor(const std::string& uri) {
  return state_->inner->CapabilitiesFor(uri);
}

}  // namespace calve::io
