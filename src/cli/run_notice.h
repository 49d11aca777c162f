#pragma once

#include <optional>

#include "base/result.h"
#include "notify/notify.h"
#include "pipeline/job.h"
#include "pipeline/run.h"

namespace calve::cli {

/// What people are told of a run, as its job's `monitoring` wishes; nothing when it went as it
/// should.
std::optional<notify::Notice> NoticeOf(const pipeline::Job& job,
                                       const Result<pipeline::RunReport>& report);

}  // namespace calve::cli
