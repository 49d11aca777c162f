#include "load/postgres/details.h"

namespace calve::load::postgres {

const char* const kDetails = R"(## Types

A table that is new gets exact types; one that is there keeps its own, and takes what fits.

| column of the source | new column | tables that are there may also have |
|---|---|---|
| boolean | boolean | |
| int, long | integer, bigint | smallint, which must have room |
| float, double | real, double precision | |
| decimal(p, s) | numeric(p, s) | |
| date, time | date, time | not time(p): it rounds |
| timestamp, timestamptz | timestamp, timestamptz | not timestamp(p): it rounds |
| string | text | varchar(n), char(n), numeric without precision, json, jsonb, enums and every other type that reads a text |
| uuid | uuid | |
| binary, fixed | bytea | |
| list of such | an array | json, jsonb, text |
| struct, map, list of those | jsonb | json, text |
| variant, geometry, timestamps in nanoseconds | refused | |

Checks see what lies in json, jsonb and other types as text. A text with a zero byte, which PostgreSQL cannot hold, fails the load.

## How it loads

Rows wait in a temporary table of the load's own connection. When the source is read, one transaction begins: it adds what columns the contract
lets the table have, brings the rows in, and has the contract judge them there, `this` being the table as it would be. Then it is committed, with
the rows that were held back and the position of the source. Until then nobody sees anything of it; a connection or a process that dies leaves
nothing behind, and the next run reads the same rows again.

| beside the table | what it is |
|---|---|
| `calve_loads` | of each job and table its last loads, and how far the source was read. Without it a job begins anew: keep it with the tables |
| `<table>__quarantine` | rows that were held back, with rule, reason and origin. A rerun over the same part of the source replaces them |

When a check of severity fail does not hold, the table is as it was, and the next run reads the same rows again; there is no branch to look at or
to decide on. Rows that were held back are not replayed: mend them at their source.

The user needs the rights to SELECT and INSERT, with merge UPDATE, with overwrite DELETE; to make temporary tables; to CREATE in the schema
for tables that are new; and to own the table whose columns a load changes. `calve plan` names what is missing.
)";

}  // namespace calve::load::postgres
