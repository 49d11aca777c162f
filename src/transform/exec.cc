#include <arrow/buffer.h>
#include <arrow/ipc/dictionary.h>
#include <arrow/ipc/options.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "columnar/arrow_status.h"
#include "columnar/convert.h"
#include "transform/child_program.h"
#include "transform/registry.h"

namespace calve::transform {
namespace {

/// What a program may do to the rows of a batch.
enum class RowsOut { kSame, kAny };
config::Names<RowsOut> NamesOf(RowsOut) {
  return {{"same", RowsOut::kSame,
           "Each stays one, in the same order: where it came from stays known."},
          {"any", RowsOut::kAny,
           "They may come and go. A run says of how many rows it made how many."}};
}

struct ExecOptions {
  std::vector<std::string> command;
  RowsOut rows = RowsOut::kSame;
  std::chrono::milliseconds timeout = std::chrono::minutes(5);

  static config::Shape<ExecOptions> Declaration() {
    config::Shape<ExecOptions> shape(
        "exec transformer",
        "Let a program of your own change the rows, in any language: it reads an Arrow stream on "
        "its standard input and writes one on its output.");
    shape.Required("command", &ExecOptions::command,
                   "The program and its arguments. It is run in the project's folder, and found "
                   "there or by PATH.",
                   {.example = "[python3, programs/enrich.py]"});
    shape.Optional("rows", &ExecOptions::rows, "What it may do to the rows of a batch.");
    shape.Optional("timeout", &ExecOptions::timeout, "How long it may take for one batch.",
                   {.min = std::chrono::milliseconds(1)});
    shape.Check("command", [](const ExecOptions& o) -> Status {
      if (!o.command.empty() && !o.command.front().empty()) return Status::Ok();
      return ConfigError("command is empty; name a program");
    });
    return shape;
  }
};

/// What has come of a program's stream.
class Replies : public arrow::ipc::Listener {
 public:
  arrow::Status OnSchemaDecoded(std::shared_ptr<arrow::Schema> schema) override {
    schema_ = std::move(schema);
    return arrow::Status::OK();
  }
  arrow::Status OnRecordBatchDecoded(std::shared_ptr<arrow::RecordBatch> batch) override {
    batches_.push_back(std::move(batch));
    return arrow::Status::OK();
  }

  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }
  std::vector<std::shared_ptr<arrow::RecordBatch>>& batches() { return batches_; }

 private:
  std::shared_ptr<arrow::Schema> schema_;
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches_;
};

/// A program, as it takes batches and gives them.
class Conversation {
 public:
  Conversation(std::unique_ptr<ChildProgram> program, std::string name)
      : program_(std::move(program)),
        name_(std::move(name)),
        replies_(std::make_shared<Replies>()),
        decoder_(replies_) {}

  /// Give it the schema of what comes and a batch without rows, and take the schema of what it makes
  /// of that: libraries write a schema no sooner than the first batch.
  Result<std::shared_ptr<arrow::Schema>> Begin(const Context& context,
                                               const std::shared_ptr<arrow::Schema>& input) {
    CALVE_ASSIGN_OR_RETURN(const auto message, arrow::ipc::SerializeSchema(*input));
    CALVE_ASSIGN_OR_RETURN(const columnar::Batch empty, arrow::RecordBatch::MakeEmpty(input));
    CALVE_ASSIGN_OR_RETURN(const columnar::Batch made, Change(context, empty, message->ToString()));
    if (made->num_rows() > 0)
      return DataError(name_ + " made rows of a batch that has none; the first one is empty");
    const auto schema = replies_->schema()->RemoveMetadata();
    for (const auto& field : schema->fields()) {
      const auto type = columnar::ToIcebergType(*field->type(), 3);
      if (!type.ok()) {
        return DataError(name_ + " gives a column " + field->name() + " of the type " +
                         field->type()->ToString() +
                         ", which no table holds: " + type.error().message);
      }
      if (schema->GetAllFieldIndices(field->name()).size() > 1)
        return DataError(name_ + " gives two columns named '" + field->name() + "'; rename one");
    }
    return schema;
  }

  /// `before` goes before the batch.
  Result<columnar::Batch> Change(const Context& context, const columnar::Batch& batch,
                                 std::string before = {}) {
    CALVE_ASSIGN_OR_RETURN(
        const auto serialized,
        arrow::ipc::SerializeRecordBatch(*batch, arrow::ipc::IpcWriteOptions::Defaults()));
    const auto message =
        before.empty() ? serialized
                       : arrow::Buffer::FromString(std::move(before) + serialized->ToString());
    CALVE_RETURN_IF_ERROR(
        Exchange(context, *message, [this] { return !replies_->batches().empty(); }));
    if (replies_->batches().size() > 1) return TooMany();
    columnar::Batch made = std::move(replies_->batches().front());
    replies_->batches().clear();
    const arrow::Status valid = made->ValidateFull();
    if (!valid.ok()) return DataError(name_ + " gave a batch that is broken: " + valid.message());
    return made;
  }

  /// See that it ends well, with no batch left.
  Status End(const Context& context) {
    constexpr std::string_view kEnd("\xff\xff\xff\xff\0\0\0\0", 8);
    CALVE_RETURN_IF_ERROR(program_->Finish(context, kEnd, Feed([] { return false; })));
    return replies_->batches().empty() ? Status::Ok() : Status(TooMany());
  }

 private:
  template <typename HasAll>
  ChildProgram::Take Feed(HasAll has_all) {
    return [this, has_all](std::string_view bytes) -> Result<bool> {
      const auto fed = decoder_.Consume(arrow::Buffer::FromString(std::string(bytes)));
      if (!fed.ok()) return DataError(name_ + " wrote what is no Arrow stream: " + fed.message());
      return has_all();
    };
  }
  template <typename HasAll>
  Status Exchange(const Context& context, const arrow::Buffer& message, HasAll has_all) {
    return program_->Exchange(
        context,
        {reinterpret_cast<const char*>(message.data()), static_cast<size_t>(message.size())},
        Feed(has_all));
  }
  Error TooMany() const {
    return DataError(name_ +
                     " gave more batches than it was given; it has to write one for each "
                     "that it reads");
  }

  const std::unique_ptr<ChildProgram> program_;
  const std::string name_;
  const std::shared_ptr<Replies> replies_;
  arrow::ipc::StreamDecoder decoder_;
};

class Exec : public Transform {
 public:
  Exec(RowsOut rows, std::string name, std::shared_ptr<arrow::Schema> schema,
       std::unique_ptr<Conversation> conversation)
      : rows_(rows),
        name_(std::move(name)),
        schema_(std::move(schema)),
        conversation_(std::move(conversation)) {}

  const std::shared_ptr<arrow::Schema>& schema() const override { return schema_; }

  Result<columnar::TracedBatch> Apply(const Context& context,
                                      columnar::TracedBatch batch) override {
    const int64_t taken = batch.rows->num_rows();
    CALVE_ASSIGN_OR_RETURN(const columnar::Batch made, conversation_->Change(context, batch.rows));
    batch.rows = arrow::RecordBatch::Make(schema_, made->num_rows(), made->columns());
    if (rows_ == RowsOut::kSame) {
      if (made->num_rows() == taken) return batch;
      return DataError(name_ + " made " + FormatCount(made->num_rows()) + " rows of " +
                       FormatCount(taken) + "; set rows: any to let it leave out rows or add some");
    }
    batch.CountRemade(taken, made->num_rows());
    batch.origin_rows.assign(static_cast<size_t>(made->num_rows()), -1);
    return batch;
  }
  Status Finish(const Context& context) override { return conversation_->End(context); }

 private:
  const RowsOut rows_;
  const std::string name_;
  const std::shared_ptr<arrow::Schema> schema_;
  const std::unique_ptr<Conversation> conversation_;
};

Result<std::unique_ptr<Transform>> MakeExec(const Context& context, const ExecOptions& options,
                                            const std::shared_ptr<arrow::Schema>& input,
                                            const Resources& resources) {
  const std::string name = "the program " + Join(options.command, " ");
  CALVE_ASSIGN_OR_RETURN(auto program, ChildProgram::Start({.command = options.command,
                                                            .folder = resources.project_folder,
                                                            .timeout = options.timeout}));
  auto conversation = std::make_unique<Conversation>(std::move(program), name);
  auto schema = conversation->Begin(context, input);
  if (!schema.ok()) return While("exec", std::move(schema).error());
  return std::make_unique<Exec>(options.rows, name, *std::move(schema), std::move(conversation));
}

constexpr std::string_view kDetails = R"(## What the program does

1. It reads an Arrow stream on its standard input and writes one on its output. The first batch has no rows: by what the program makes of it
   the columns are known. `calve plan` asks for no more than that, and then ends it.
2. For each batch that it reads it writes one, which may have no rows, and **flushes** its output.
3. What it says on its standard error is shown when it fails, by another exit code than 0 or by an output that is no Arrow stream: then the run
   fails, and nothing is loaded.

A run starts one for each of its readers (`resources: {parallelism: 1}`: one). It has the rights and the environment of calve, and is ended
with the run. `examples/exec` has one in Python and one in C++.
)";

}  // namespace

CALVE_PART(exec) {
  registry.Add(
      {.type = "exec",
       .meaning = "A program of your own, by Arrow streams on its standard input and output",
       .part = config::MakePart<ExecOptions>("exec"),
       .make = [](const Context& context, const config::Node& node,
                  const std::shared_ptr<arrow::Schema>& input,
                  const Resources& resources) -> Result<std::unique_ptr<Transform>> {
         CALVE_ASSIGN_OR_RETURN(const auto options, ExecOptions::Declaration().Parse(node));
         return MakeExec(context, options, input, resources);
       },
       .details = std::string(kDetails)});
}

}  // namespace calve::transform
