#include "source/reread.h"

#include <utility>

#include "io/memory.h"

namespace calve::source {
namespace {

constexpr const char* kUri = "memory://held/rows";

/// A source with the file that it reads.
class HeldSource : public Source {
 public:
  HeldSource(std::string text, FirstOrigins origins, const MakeSource& make)
      : text_(std::move(text)),
        source_(make({.files = &files_,
                      .project_folder = {},
                      .first_origins = std::make_shared<const FirstOrigins>(std::move(origins))})) {
  }

  Status Check(const Context& context) override {
    CALVE_RETURN_IF_ERROR(Put(context));
    return source_->Check(context);
  }
  Result<std::vector<Stream>> Discover(const Context& context) override {
    CALVE_RETURN_IF_ERROR(Put(context));
    return source_->Discover(context);
  }
  Result<ReadPlan> Plan(const Context& context, const PlanOptions& options) override {
    CALVE_RETURN_IF_ERROR(Put(context));
    return source_->Plan(context, options);
  }
  Result<std::unique_ptr<SplitReader>> Open(const Context& context, const ReadPlan& plan,
                                            const Split& split) override {
    return source_->Open(context, plan, split);
  }

 private:
  Status Put(const Context& context) {
    if (put_) return Status::Ok();
    CALVE_RETURN_IF_ERROR(files_.CreateIfAbsent(context, kUri, text_));
    put_ = true;
    text_.clear();
    return Status::Ok();
  }

  io::MemoryFileSystem files_;
  std::string text_;
  bool put_ = false;
  const std::unique_ptr<Source> source_;
};

}  // namespace

void HeldFile::Add(const HeldText::Row& row) {
  origins_.emplace(line_, row.origin);
  // A mark that begins the file is none of the first row.
  if (text_.empty()) text_ = "\xEF\xBB\xBF";
  text_ += row.text + "\n";
  line_ += CountLines(row.text) + 1;
}

void HeldFile::Point(FileOptions* options) {
  options->source_path = kUri;
  options->file_pattern.clear();
  options->incremental = false;
  options->compression = "none";
}

std::unique_ptr<Source> HeldFile::Open(const MakeSource& make) && {
  return std::make_unique<HeldSource>(std::move(text_), std::move(origins_), make);
}

}  // namespace calve::source
