#include <utility>

#include "source/registry.h"
#include "source/sqlite/sqlite_view.h"
#include "source/table_source.h"

namespace calve::source {
namespace {

using sqlite::SqliteSourceOptions;
using sqlite::SqliteView;

class SqliteSource : public TableSource {
 public:
  SqliteSource(SqliteSourceOptions options, const std::string& folder)
      : TableSource("sqlite", options),
        options_(std::move(options)),
        file_(options_.path.starts_with('/') || folder.empty() ? options_.path
                                                               : folder + "/" + options_.path) {}

 protected:
  Result<std::shared_ptr<DatabaseView>> OpenView(const Context& context, int) override {
    CALVE_ASSIGN_OR_RETURN(std::shared_ptr<DatabaseView> view,
                           SqliteView::Open(context, options_, file_));
    return view;
  }
  std::string shown() const override { return options_.path; }

 private:
  const SqliteSourceOptions options_;
  const std::string file_;
};

/// What each type becomes, for the page.
constexpr std::string_view kDetails = R"(## Types

SQLite lets every value be of any kind. A column has the type that its declaration names; a value that is not of it, or not written as the type
is, is held back with the row and told: it is never made into another value. `types` gives a column another type.

| declared as | becomes | which values fit |
|---|---|---|
| INTEGER, INT, BIGINT and what else has INT | long | integers |
| REAL, DOUBLE, FLOAT | double | reals, and integers of up to 2^53 |
| DECIMAL(p, s), NUMERIC(p, s) up to 38 digits | decimal(p, s) | integers, texts, and reals by their shortest digits; none with more digits |
| BOOLEAN | boolean | 0 and 1, `true` and `false` |
| DATE | date | texts: 2026-11-22 |
| TIME | time | texts: 10:15:30.25 |
| DATETIME, TIMESTAMP | timestamp | texts: 2026-11-22 10:15:30.25, or with T; without zone |
| TIMESTAMPTZ, TIMESTAMP WITH TIME ZONE | timestamptz | the same with a zone: Z, +02:00 |
| TEXT, VARCHAR, CHAR, CLOB, JSON | string | texts in UTF-8 |
| UUID, GUID | uuid | texts of 32 hexadecimal digits |
| BLOB, BINARY | binary | blobs |
| nothing, NUMERIC, or another word; expressions of a query | long, double, binary or string | as all values are stored, which one scan of the table finds out |

## How it reads

All rows are those of one moment, by one connection that changes nothing. An incremental job remembers the greatest value of `cursor_column` and
the contents of the rows from `look_back` below it on, in the snapshot that holds the rows: a row that comes later with an equal value is read
once. Dates and timestamps are compared as SQLite compares them, as texts: write all of a column in one form.
)";

}  // namespace

CALVE_PART(sqlite) {
  registry.Add({.type = "sqlite",
                .meaning = "Tables, views and queries of a SQLite file",
                .part = config::MakePart<SqliteSourceOptions>("sqlite"),
                .make = [](const config::Node& node,
                           const Resources& resources) -> Result<std::unique_ptr<Source>> {
                  CALVE_ASSIGN_OR_RETURN(SqliteSourceOptions options,
                                         SqliteSourceOptions::Declaration().Parse(node));
                  return std::make_unique<SqliteSource>(std::move(options),
                                                        resources.project_folder);
                },
                .details = std::string(kDetails)});
}

}  // namespace calve::source
