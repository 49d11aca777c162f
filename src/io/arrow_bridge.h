#pragma once

#include <arrow/io/interfaces.h>
#include <arrow/status.h>

#include <memory>
#include <optional>

#include "base/result.h"
#include "io/compression.h"
#include "io/file_system.h"

namespace calve::io {

/// Read one of our files through Arrow (Parquet, ORC, IPC readers). Threads: any may read at once,
/// as of the file itself.
std::shared_ptr<arrow::io::RandomAccessFile> ToArrow(std::shared_ptr<InputFile> file);

/// Read one of our streams through Arrow (CSV, JSON readers). One thread.
std::shared_ptr<arrow::io::InputStream> ToArrow(std::unique_ptr<InputStream> stream);

/// Write one of our files through Arrow. The caller keeps `file` alive and closes it itself:
/// closing the Arrow stream makes nothing durable.
std::shared_ptr<arrow::io::OutputStream> ToArrow(OutputFile& file);

/// Carry an error through Arrow's code; ErrorOf() gives it back whole.
arrow::Status ToArrowStatus(const Error& error);

/// The error that ToArrowStatus() put in, or nothing when the status is Arrow's own (or ok).
std::optional<Error> ErrorOf(const arrow::Status& status);

}  // namespace calve::io
