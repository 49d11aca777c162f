#include <utility>

#include "source/adbc/adbc_options.h"
#include "source/adbc/adbc_view.h"
#include "source/adbc/driver.h"
#include "source/registry.h"
#include "source/table_source.h"

namespace calve::source {
namespace {

using adbc::AdbcOptions;
using adbc::AdbcView;
using adbc::Address;
using adbc::OracleOptions;

class AdbcSource : public TableSource {
 public:
  AdbcSource(std::string type, const DriverTableOptions& options, Address address,
             std::string folder)
      : TableSource(std::move(type), options),
        options_(options),
        address_(std::move(address)),
        folder_(std::move(folder)) {}

 protected:
  Result<std::shared_ptr<DatabaseView>> OpenView(const Context& context, int) override {
    Address address = address_;
    address.library = adbc::FindDriver(address.driver, folder_);
    CALVE_ASSIGN_OR_RETURN(std::shared_ptr<DatabaseView> view,
                           AdbcView::Open(context, options_, address));
    return view;
  }
  std::string shown() const override { return address_.shown; }

 private:
  const DriverTableOptions options_;
  const Address address_;
  const std::string folder_;
};

template <typename Options>
Result<std::unique_ptr<Source>> Make(const std::string& type, const config::Node& node,
                                     const Resources& resources) {
  CALVE_ASSIGN_OR_RETURN(const Options options, Options::Declaration().Parse(node));
  return std::make_unique<AdbcSource>(type, options, options.DatabaseAddress(),
                                      resources.project_folder);
}

/// What each type becomes, for the page.
constexpr std::string_view kDetails = R"(## Drivers

A driver is a library that speaks ADBC (Arrow Database Connectivity). The easiest way to one is its Python package, of which only the library is
used: `pip install adbc-driver-postgresql`, then `driver: postgresql`. Packages are looked for in the active environment (`VIRTUAL_ENV`,
`CONDA_PREFIX`), in `~/.local`, `/usr/local` and `/usr`; else the driver manager looks for the name in its manifests (`ADBC_DRIVER_PATH`,
`~/.config/adbc/drivers`, `/etc/adbc/drivers`) and the loader for `lib<name>.so`. A driver is a program within the program: take one only from
whom you would take a program.

| database | options |
|---|---|
| PostgreSQL | `driver: postgresql`, `url: postgresql://reader@db.example:5432/shop` (the password goes into the url). The source `postgresql` reads the same faster, and exactly at one moment |
| SQLite | `driver: sqlite`, `url: data/shop.db` |
| DuckDB | `driver: /usr/lib/libduckdb.so`, `entrypoint: duckdb_adbc_init`, `options: {path: data/shop.duckdb}` |
| Snowflake, BigQuery, Flight SQL, Databricks and others | as the manual of their driver has it |
| Oracle | the source `oracle` |

The drivers for PostgreSQL and SQLite, and DuckDB, are what calve is tested with; others have not been tried.

## Types

| Arrow, as the driver gives it | becomes | note |
|---|---|---|
| bool | boolean | |
| int8, int16, int32, uint8, uint16 | int | |
| int64, uint32 | long | |
| uint64 | decimal(20, 0) | |
| halffloat, float; double | float; double | |
| decimal of up to 38 digits | decimal(p, s) | |
| decimal of more digits | string, or what `numeric` says | |
| date32, date64; time32, time64 | date; time | |
| timestamp in seconds, milliseconds, microseconds | timestamp, with a zone timestamptz | of the years 1 to 9999, others are held back |
| timestamp in nanoseconds | timestamp_ns, timestamptz_ns; where the table has microseconds, these | `types: {at: timestamp}` for a table that is not there yet; what is finer is held back |
| utf8, large and view, dictionaries | string | what is no UTF-8 is held back |
| binary, large and view | binary | |
| fixed-size binary | fixed(n) | |
| the extension arrow.uuid | uuid | |
| intervals, durations | string | ISO 8601: P1Y2M3DT4H5M6.5S |
| list, struct, map | the same | |
| null | string | |
| PostgreSQL's numeric, which its driver gives as text | string, or what `numeric` says | the driver does not tell precision and scale: name the columns in `types`, as `price: decimal(18, 2)` |
| other types, which drivers give as text | string | `types` reads texts as dates, numbers, uuids and others; a text that is none is held back |

SQLite's driver takes the type of a column from its first rows (integers, doubles, texts, bytes), whatever the table declares; the source `sqlite`
goes by the declaration. PostgreSQL's driver gives uuid as text.

## How it reads

Each table is read by one statement on a connection of its own, as the database shows it to one statement; with `chunk_column` several read its
ranges. Batches come as large as the driver makes them and are passed on in slices; PostgreSQL's are asked to be as small as these.

An incremental job goes by a column of whole numbers, decimals, dates, timestamps or texts. It remembers the greatest value of `cursor_column` and
the contents of the rows from `look_back` below it on (at most a million), in the snapshot that holds the rows: a row that comes later with an
equal value, or within `look_back`, is read once. A stop is told to the driver; one that cannot cancel ends its call first.
)";

constexpr std::string_view kOracleDetails = R"(## What is proven

No Oracle database was at hand. Tried with the real driver (adbc-driver-oracle 1.0.1, which calls itself alpha): that it is found and loaded, takes
the options, and what is said when no server answers. All of what follows, the SQL and the types, is by the driver's manual and has never run
against a server. Try it on a copy first, and compare counts and sums.

## Driver

`pip install adbc-driver-oracle`; it speaks Oracle's protocol by itself. `options` takes what its manual has: `adbc.oracle.tls: "true"`,
`adbc.oracle.wallet_location`, `adbc.oracle.sid` and others. Where a server asks for Oracle's own network encryption it cannot connect: use TLS.

Names are as the database keeps them, mostly in capitals: `table: SALES.ORDERS`, `cursor_column: UPDATED_AT`.

## Types

| Oracle | becomes | note |
|---|---|---|
| NUMBER(p, 0) up to 18 digits | long | |
| NUMBER(p, s) | decimal(p, s) | |
| NUMBER without precision, FLOAT, computed numbers | string, or what `numeric` says | numbers come as text, so that no digit is lost |
| BINARY_FLOAT, BINARY_DOUBLE | float, double | |
| CHAR, VARCHAR2, NCHAR, NVARCHAR2, CLOB, NCLOB, LONG, ROWID, JSON | string | an empty string is NULL, as in Oracle |
| RAW, BLOB | binary | |
| DATE | timestamp | it has a time of day |
| TIMESTAMP(n) | timestamp; with more than 6 digits timestamp_ns | `types: {AT: timestamp}` for microseconds |
| TIMESTAMP WITH TIME ZONE, WITH LOCAL TIME ZONE | timestamptz | the moment; its zone is not kept |
| INTERVAL | string | ISO 8601 |
| BOOLEAN | boolean | |

All else is as the source `adbc` has it.
)";

}  // namespace

CALVE_PART(adbc) {
  registry.Add({.type = "adbc",
                .meaning = "Tables, views and queries of any database with an ADBC driver",
                .part = config::MakePart<AdbcOptions>("adbc"),
                .make = [](const config::Node& node,
                           const Resources& resources) -> Result<std::unique_ptr<Source>> {
                  return Make<AdbcOptions>("adbc", node, resources);
                },
                .details = std::string(kDetails)});
}

CALVE_PART(oracle) {
  registry.Add({.type = "oracle",
                .meaning = "Tables, views and queries of Oracle Database",
                .part = config::MakePart<OracleOptions>("oracle"),
                .make = [](const config::Node& node,
                           const Resources& resources) -> Result<std::unique_ptr<Source>> {
                  return Make<OracleOptions>("oracle", node, resources);
                },
                .details = std::string(kOracleDetails)});
}

}  // namespace calve::source
