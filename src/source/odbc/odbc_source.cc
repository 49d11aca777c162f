#include <utility>

#include "source/odbc/odbc_options.h"
#include "source/odbc/odbc_view.h"
#include "source/registry.h"
#include "source/table_source.h"

namespace calve::source {
namespace {

using odbc::OdbcOptions;
using odbc::OdbcView;

class OdbcSource : public TableSource {
 public:
  explicit OdbcSource(OdbcOptions options)
      : TableSource("odbc", options), options_(std::move(options)) {}

 protected:
  Result<std::shared_ptr<DatabaseView>> OpenView(const Context& context, int) override {
    CALVE_ASSIGN_OR_RETURN(std::shared_ptr<DatabaseView> view, OdbcView::Open(context, options_));
    return view;
  }
  std::string shown() const override { return options_.ServerAddress().shown; }

 private:
  const OdbcOptions options_;
};

/// What each type becomes, for the page.
constexpr std::string_view kDetails = R"(## Drivers

`odbcinst -q -d` lists the drivers that the machine has. Debian has them for PostgreSQL (`odbc-postgresql`), MariaDB and MySQL (`odbc-mariadb`),
SQLite (`libsqliteodbc`) and, by FreeTDS, for SQL Server and Sybase (`tdsodbc`); Microsoft, Oracle, Snowflake and others give their own. The
first three are what calve is tested with. SQL Server and Oracle have not been tried, for want of a server: what is said of them here is by the
drivers' manuals.

| database | options |
|---|---|
| SQL Server | `driver: ODBC Driver 18 for SQL Server`, or `driver: FreeTDS` with `keys: {TDS_Version: "7.4"}` |
| Oracle | `driver: Oracle in instantclient`, `keys: {DBQ: "db.example:1521/SHOP"}` |
| PostgreSQL | `driver: PostgreSQL Unicode`; `keys: {UseDeclareFetch: "1"}` has large tables come in parts rather than all into memory |
| MariaDB, MySQL | `driver: MariaDB Unicode`; `keys: {NO_CACHE: "1", FORWARDONLY: "1"}` for the same |
| SQLite | `driver: SQLite3`, `database: data/shop.db` |

## Types

| ODBC | becomes | note |
|---|---|---|
| SQL_BIT | boolean | |
| SQL_TINYINT, SQL_SMALLINT, SQL_INTEGER | int | an SQL_INTEGER without sign is long |
| SQL_BIGINT | long | without sign decimal(20, 0) |
| SQL_REAL; SQL_FLOAT, SQL_DOUBLE | float; double | |
| SQL_DECIMAL, SQL_NUMERIC up to 38 digits | decimal(p, s) | asked for as text: no digit is lost |
| the same with more digits, or of a size that the driver does not tell | string, or what `numeric` says | |
| SQL_TYPE_DATE, SQL_TYPE_TIME | date, time | |
| SQL_TYPE_TIMESTAMP | timestamp | in microseconds; finer ones are held back. ODBC does not tell whether one has a zone: `types: {at: timestamptz}`, with a session in UTC |
| SQL Server's DATETIMEOFFSET | timestamptz | |
| SQL_GUID | uuid | |
| SQL_CHAR, SQL_VARCHAR, SQL_LONGVARCHAR and their wide kin | string | asked for in UTF-16, whatever the database's character set |
| SQL_BINARY, SQL_VARBINARY, SQL_LONGVARBINARY | binary | |
| others | string | as the driver prints them |

## How it reads

Each table is read by one statement on a connection of its own, as the database shows it to one statement. Rows come in blocks of up to 1,000;
where a column is a long text or long bytes, value by value, each up to 67 MB. A value that is longer than the driver said is a fault, never cut.

An incremental job goes by a column of numbers, dates or timestamps. It remembers the greatest value of `cursor_column` and the contents of the
rows from `look_back` below it on (at most a million), in the snapshot that holds the rows: a row that comes later with an equal value, or
within `look_back`, is read once.
)";

}  // namespace

CALVE_PART(odbc) {
  registry.Add(
      {.type = "odbc",
       .meaning = "Tables, views and queries of any database with an ODBC driver",
       .part = config::MakePart<OdbcOptions>("odbc"),
       .make = [](const config::Node& node, const Resources&) -> Result<std::unique_ptr<Source>> {
         CALVE_ASSIGN_OR_RETURN(OdbcOptions options, OdbcOptions::Declaration().Parse(node));
         return std::make_unique<OdbcSource>(std::move(options));
       },
       .details = std::string(kDetails)});
}

}  // namespace calve::source
