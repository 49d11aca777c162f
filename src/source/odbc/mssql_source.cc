#include <utility>

#include "source/odbc/odbc_options.h"
#include "source/odbc/odbc_view.h"
#include "source/registry.h"
#include "source/table_source.h"

namespace calve::source {
namespace {

using odbc::MssqlOptions;
using odbc::OdbcView;

class MssqlSource : public TableSource {
 public:
  explicit MssqlSource(const MssqlOptions& options)
      : TableSource("mssql", options), options_(options.Filled()) {}

 protected:
  Result<std::shared_ptr<DatabaseView>> OpenView(const Context& context, int) override {
    CALVE_ASSIGN_OR_RETURN(std::shared_ptr<DatabaseView> view, OdbcView::Open(context, options_));
    return view;
  }
  std::string shown() const override { return options_.ServerAddress().shown; }

 private:
  const odbc::OdbcOptions options_;
};

constexpr std::string_view kDetails = R"(## What is proven

No SQL Server was at hand. Tried with the real FreeTDS: that the driver is found and loaded, takes the connection string, and what is said when no
server answers. All else, the SQL and the types, is what the source `odbc` does with other databases, and what the drivers' manuals say; it has
never run against a server. Try it on a copy first, and compare counts and sums.

## Drivers

FreeTDS is Debian's package `tdsodbc`. Microsoft's own is taken where it is installed and named: `driver: ODBC Driver 18 for SQL Server`.
`keys` takes what the driver's manual has, such as `{TrustServerCertificate: "yes"}` for Microsoft's or `{ClientCharset: UTF-8}` for FreeTDS.

## Types

| SQL Server | becomes | note |
|---|---|---|
| bit | boolean | |
| tinyint, smallint, int; bigint | int; long | |
| decimal(p, s), numeric, money, smallmoney | decimal(p, s) | |
| real; float | float; double | |
| date; datetime2, datetime, smalldatetime | date; timestamp | what is finer than microseconds (datetime2(7)) is held back: `CAST(at AS datetime2(6))` in a query |
| time | time | |
| datetimeoffset | timestamptz | |
| char, varchar, text, nchar, nvarchar, ntext, xml | string | |
| binary, varbinary, image, rowversion | binary | |
| uniqueidentifier | uuid | |

All else is as the source `odbc` has it.
)";

}  // namespace

CALVE_PART(mssql) {
  registry.Add(
      {.type = "mssql",
       .meaning = "Tables, views and queries of SQL Server",
       .part = config::MakePart<MssqlOptions>("mssql"),
       .make = [](const config::Node& node, const Resources&) -> Result<std::unique_ptr<Source>> {
         CALVE_ASSIGN_OR_RETURN(MssqlOptions options, MssqlOptions::Declaration().Parse(node));
         return std::make_unique<MssqlSource>(options);
       },
       .details = std::string(kDetails)});
}

}  // namespace calve::source
