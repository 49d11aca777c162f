#pragma once

#include <functional>
#include <memory>

#include "io/postgres.h"
#include "source/postgresql/value_decoder.h"
#include "source/table_source.h"

namespace calve::source::postgresql {

/// A connection that is given back once a copy has come to its end; else it is left.
struct Lease {
  std::unique_ptr<io::PostgresDatabase> connection;
  std::function<void(std::unique_ptr<io::PostgresDatabase>)> give_back;
};

struct CopyOptions {
  std::string place;  ///< "public.orders of the database calve@host:5432/shop", for errors.
  int64_t batch_rows_max = 64 * 1024;
  int64_t batch_bytes_max = 8 << 20;
  DecoderOptions decoding;
};

/// Read what a COPY ... TO STDOUT (FORMAT BINARY) that has begun gives. `relation` says what its
/// columns are, and outlives the reader.
Result<std::unique_ptr<RowReader>> MakeCopyReader(Lease lease, const Relation& relation,
                                                  CopyOptions options);

}  // namespace calve::source::postgresql
