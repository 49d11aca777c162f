#include "stream/stream.h"

#include <algorithm>
#include <string>

#include "base/retry.h"
#include "base/time.h"

namespace calve::stream {
namespace {

constexpr std::chrono::milliseconds kWaitMin{200};
constexpr std::chrono::seconds kWaitMax{60};

}  // namespace

config::Shape<CommitWhen> CommitWhen::Declaration() {
  config::Shape<CommitWhen> shape("commit",
                                  "When records become a snapshot: whatever comes first.");
  shape.Optional("interval", &CommitWhen::interval, "The time since the last one.",
                 {.min = std::chrono::seconds(1), .max = std::chrono::hours(1)});
  shape.Optional("rows", &CommitWhen::rows, "So many records.", {.min = 1});
  shape.Optional(
      "size", &CommitWhen::size,
      "So many bytes of records, in memory; never more than a quarter of what a run has.",
      {.min = ByteCount(1'000'000)});
  return shape;
}

source::Window CommitWhen::Window() const {
  return {.interval = interval, .rows_max = rows.value(), .bytes_max = size};
}

config::Shape<Stream> StreamShape(const pipeline::Parts& parts) {
  config::Shape<Stream> shape("stream", "A topic on its way into a table, for as long as it runs.");
  shape.Optional("enabled", &Stream::enabled, "Whether `calve stream run` without a name runs it.");
  shape.Required("source", &Stream::source, "What is read.",
                 {.example = "{type: kafka, brokers: [\"localhost:9092\"], topic: shopify.orders}",
                  .parts = parts.sources.parts()});
  shape.Optional("transformer", &Stream::transformer, "What is done to the rows on their way.",
                 {.parts = parts.transforms.parts()});
  shape.Optional("transformers", &Stream::transformers, "Several transformers, one after another.",
                 {.parts = parts.transforms.parts()});
  shape.AtMostOneOf({"transformer", "transformers"});
  shape.Optional("contract", &Stream::contract,
                 "The contract that the table keeps, by its file's name in contracts/.",
                 {.example = "raw.shopify_orders",
                  .default_text = "contracts/<database>.<table>.yaml, when there is one"});
  shape.Required("loader", &Stream::loader, "Where the rows go.",
                 {.example = "{type: iceberg, database: raw, table: shopify_orders}",
                  .parts = parts.loaders.parts()});
  shape.Optional("commit", &Stream::commit, "When records become a snapshot.");
  shape.Optional("monitoring", &Stream::monitoring, "Who is told, and of what.");
  shape.Optional("metadata", &Stream::metadata, "For people.");
  shape.Optional("resources", &Stream::resources, "What it may use.");
  return shape;
}

std::string JobOf(const std::string& stream) { return "stream." + stream; }

Status RunWindows(const Context& context, const std::function<Result<bool>()>& window) {
  Duration wait = kWaitMin;
  while (true) {
    const Result<bool> more = window();
    if (context.stop.stop_requested()) return Status::Ok();
    if (more.ok()) {
      if (!*more) return Status::Ok();
      wait = kWaitMin;
      continue;
    }
    const ErrorKind kind = more.error().kind;
    if (kind != ErrorKind::kTransient && kind != ErrorKind::kConflict &&
        kind != ErrorKind::kUnknownOutcome)
      return more.status();
    context.log->Warn(more.error().message);
    const auto pause = std::chrono::duration_cast<std::chrono::milliseconds>(wait);
    if (!Sleep(context, pause).ok()) return Status::Ok();
    wait = std::min<Duration>(2 * wait, kWaitMax);
  }
}

}  // namespace calve::stream
