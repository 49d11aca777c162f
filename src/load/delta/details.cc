#include "load/delta/details.h"

namespace calve::load::delta {

const char* const kDetails = R"(## Types

| column of the source | Delta |
|---|---|
| boolean, int, long, float, double, decimal(p, s), string, binary, date | boolean, integer, long, float, double, decimal(p,s), string, binary, date |
| timestamptz | timestamp |
| timestamp | timestamp_ntz: a new table has protocol 3/7 with the feature timestampNtz; one that is there without it is refused |
| struct, list, map | struct, array, map |
| uuid, time, fixed, variant, timestamps in nanoseconds | refused: convert them, to string for one |

New columns of the source come to the end of the table's, where the contract lets it evolve; the type of a column never changes.

## How it loads

Data files (Parquet) are written into the table's folder, where nobody reads them until an entry of the log names them. The contract is judged on
those that the log has and these together; then one entry brings them in, written only where there is none of its number (on a disk, and in S3
by `If-None-Match`; other stores are refused). When another writer was faster, the table is read and judged again.

| in the table's folder | what it is |
|---|---|
| the action `txn` of `calve.<job>` | the number of the job's position, committed with the rows |
| `_calve/<job>/<number>.json` | that position: how far the source was read. VACUUM leaves it alone |
| `<location>__quarantine` | a Delta table of rows that were held back, with rule, reason and origin. A rerun over the same part of the source replaces them |

When a check of severity fail does not hold, the table is as it was, and the next run reads the same rows again; there is no branch to look at or
to decide on. Rows that were held back are not replayed: mend them at their source.

## Tables that others write too

Protocols up to 3/7 are read, with checkpoints in one Parquet file or in parts. Tables with deletion vectors, mapped columns, CHECK constraints,
generated or identity columns, row tracking or features that calve does not know are refused by name. calve makes no checkpoints itself:
`deltalake`'s `create_checkpoint` or Spark does.
)";

}  // namespace calve::load::delta
