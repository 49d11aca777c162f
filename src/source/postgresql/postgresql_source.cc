#include <utility>

#include "source/postgresql/postgresql_options.h"
#include "source/postgresql/postgresql_view.h"
#include "source/registry.h"
#include "source/table_source.h"

namespace calve::source {
namespace {

using postgresql::PostgresqlOptions;
using postgresql::PostgresqlView;

class PostgresqlSource : public TableSource {
 public:
  PostgresqlSource(PostgresqlOptions options, std::string folder)
      : TableSource("postgresql", options),
        options_(std::move(options)),
        folder_(std::move(folder)) {}

 protected:
  Result<std::shared_ptr<DatabaseView>> OpenView(const Context& context, int) override {
    CALVE_ASSIGN_OR_RETURN(std::shared_ptr<DatabaseView> view,
                           PostgresqlView::Open(context, options_, folder_));
    return view;
  }
  std::string shown() const override {
    return options_.url.empty() ? options_.host + "/" + options_.database : "PostgreSQL";
  }

 private:
  const PostgresqlOptions options_;
  const std::string folder_;
};

/// What each type becomes, for the page.
constexpr std::string_view kDetails = R"(## Types

| PostgreSQL | becomes | note |
|---|---|---|
| boolean | boolean | |
| smallint, integer | int | |
| bigint, oid, xid, cid | long | oid and its like are unsigned |
| real, double precision | float, double | every bit, NaN and infinities too |
| numeric(p, s) up to 38 digits | decimal(p, s) | numeric(5, -2) is decimal(7, 0), numeric(3, 5) is decimal(5, 5); NaN and infinities are held back |
| numeric without precision, or wider | string, or what `numeric` says | a decimal that the table or its contract has wins; a value with more digits is held back, never rounded |
| money | decimal(19, s) | with the fraction digits of the server's lc_monetary |
| date, timestamp, timestamptz | date, timestamp, timestamptz | infinite ones by `infinity`; years before 1 keep their place on the calendar |
| time | time | 24:00:00 is held back |
| uuid | uuid | |
| bytea | binary | |
| text, varchar, char(n), name, enums | string | char(n) with its blanks |
| json, jsonb, xml | string | the text as the server prints it |
| interval | string | ISO 8601: P1DT2H |
| timetz, inet, cidr, macaddr, bit, geometric types, ranges, tsvector, pg_lsn, composite types and all others | string | as the server prints them; a field of a composite type by a query: `SELECT (address).city` |
| domains | what lies beneath | |
| arrays | list | of one dimension; others are held back. Elements of types that are read as text are text |

## How it reads

All rows are those of one moment: a snapshot is exported and every connection takes it over (`REPEATABLE READ, READ ONLY`). Large tables are
read in ranges of blocks (ctid; from PostgreSQL 14 on), partitions included. Where the server does not let the user export a snapshot, one
connection reads all. Ended or stopped runs end their queries on the server; a connection that is lost fails the run, and the next one begins
where the table's position is.

An incremental job remembers the greatest value of `cursor_column` and the contents of the rows from `look_back` below it on (at most a million),
in the snapshot that holds the rows. So a row that comes later with an equal value, or within `look_back`, is read once; a row whose
transaction ends later than `look_back` after its value was taken is not seen: choose it longer than the longest transaction.
)";

}  // namespace

CALVE_PART(postgresql) {
  registry.Add({.type = "postgresql",
                .meaning = "Tables, views and queries of PostgreSQL",
                .part = config::MakePart<PostgresqlOptions>("postgresql"),
                .make = [](const config::Node& node,
                           const Resources& resources) -> Result<std::unique_ptr<Source>> {
                  CALVE_ASSIGN_OR_RETURN(PostgresqlOptions options,
                                         PostgresqlOptions::Declaration().Parse(node));
                  return std::make_unique<PostgresqlSource>(std::move(options),
                                                            resources.project_folder);
                },
                .details = std::string(kDetails)});
}

}  // namespace calve::source
