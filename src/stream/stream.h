#pragma once

#include <chrono>
#include <functional>

#include "base/context.h"
#include "base/result.h"
#include "config/option.h"
#include "pipeline/job.h"
#include "source/source.h"

namespace calve::stream {

/// When the records that a stream has taken become a snapshot: what comes first.
struct CommitWhen {
  std::chrono::seconds interval{10};
  RowCount rows{500'000};
  ByteCount size{128 << 20};

  static config::Shape<CommitWhen> Declaration();
  source::Window Window() const;
};

/// One stream (streams/<name>.yaml): a job whose source has no end.
struct Stream : pipeline::Job {
  CommitWhen commit;
};

/// The declaration of a stream's file, over the parts that exist.
config::Shape<Stream> StreamShape(const pipeline::Parts& parts);

/// The name under which a stream's runs and positions go; no job has it.
std::string JobOf(const std::string& stream);

/// Run `window` again and again until the run is stopped, or it says that no more comes (false).
/// What passes is waited for, longer each time; where another process has loaded the same records
/// the next window begins behind them. Fails with what does not pass by itself.
Status RunWindows(const Context& context, const std::function<Result<bool>()>& window);

}  // namespace calve::stream
