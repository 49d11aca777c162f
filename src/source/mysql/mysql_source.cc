#include <utility>

#include "source/mysql/mysql_options.h"
#include "source/mysql/mysql_view.h"
#include "source/registry.h"
#include "source/table_source.h"

namespace calve::source {
namespace {

using mysql::MysqlOptions;
using mysql::MysqlView;

class MysqlSource : public TableSource {
 public:
  MysqlSource(MysqlOptions options, std::string folder)
      : TableSource("mysql", options), options_(std::move(options)), folder_(std::move(folder)) {}

 protected:
  Result<std::shared_ptr<DatabaseView>> OpenView(const Context& context, int readers) override {
    CALVE_ASSIGN_OR_RETURN(std::shared_ptr<DatabaseView> view,
                           MysqlView::Open(context, options_, folder_, readers));
    return view;
  }
  std::string shown() const override {
    return options_.url.empty() ? options_.host + "/" + options_.database : "MySQL";
  }

 private:
  const MysqlOptions options_;
  const std::string folder_;
};

/// What each type becomes, for the page.
constexpr std::string_view kDetails = R"(## Types

| MySQL, MariaDB | becomes | note |
|---|---|---|
| TINYINT, SMALLINT, MEDIUMINT, INT | int | INT UNSIGNED is long; the others fit an int without sign, too |
| BIGINT | long | BIGINT UNSIGNED is decimal(20, 0) |
| TINYINT(1), BOOLEAN | int | boolean by `tinyint1: boolean` |
| BIT(1), BIT(n), BIT(64) | boolean, long, decimal(20, 0) | the bits as a number |
| FLOAT, DOUBLE | float, double | every bit |
| DECIMAL(p, s) up to 38 digits | decimal(p, s) | |
| DECIMAL with more digits | string, or what `numeric` says | a decimal that the table or its contract has wins; a value with more digits is held back, never rounded |
| DATE, DATETIME | date, timestamp | with microseconds; `0000-00-00` and `2026-00-00` by `zero_dates`; days that no calendar has are held back |
| TIMESTAMP | timestamptz | the moment in UTC, whatever the server's zone |
| TIME | time, or what `time` says | -838:59:59 and 24:00:00 are no times of a day: held back, or read as microseconds or text |
| YEAR | int | 0000 is 0 |
| CHAR, VARCHAR, TEXT and their kin | string | in UTF-8, whatever their character set; CHAR(n) without blanks behind |
| ENUM, SET | string | the words; of a SET with commas between |
| JSON | string | the text as the server prints it; MariaDB keeps what was written |
| UUID (MariaDB) | uuid | |
| INET4, INET6 (MariaDB) | string | |
| BINARY, VARBINARY, BLOB and their kin | binary | BINARY(n) with its zero bytes |
| GEOMETRY and its kin | binary | as the server keeps it: 4 bytes of SRID, the lowest first, then WKB; `ST_AsText` or `ST_AsGeoJSON` by a query |

## How it reads

All rows are those of one moment: a consistent snapshot (`REPEATABLE READ`, `READ ONLY`) of all connections. MariaDB with a binary log says which
place in it a connection sees, so that several begin until they see the same; that takes no right and no lock. Elsewhere one connection reads
all, or `locking: brief` has them begin while nothing can be written. Tables of other engines than InnoDB (MyISAM, Aria, MEMORY) keep no
moments: rows that are written meanwhile may be among those that are read; the plan says so.

Large tables with a primary key that begins with an integer are read in ranges of it that hold about as many rows each. Rows come as a stream, in the binary
protocol. Ended or stopped runs end their queries on the server; a connection that is lost fails the run, and the next one begins where the
table's position is.

An incremental job remembers the greatest value of `cursor_column` and the contents of the rows from `look_back` below it on (at most a million),
in the snapshot that holds the rows. So a row that comes later with an equal value, or within `look_back`, is read once; a row whose
transaction ends later than `look_back` after its value was taken is not seen: choose it longer than the longest transaction.

Logins by `caching_sha2_password` (MySQL 8) and `ed25519` are loaded from Debian's package `libmariadb3`; no login sends the password as it is.
All of this is tested with MariaDB; MySQL itself speaks the same protocol and has not been tried.
)";

}  // namespace

CALVE_PART(mysql) {
  registry.Add(
      {.type = "mysql",
       .meaning = "Tables, views and queries of MySQL and MariaDB",
       .part = config::MakePart<MysqlOptions>("mysql"),
       .make = [](const config::Node& node,
                  const Resources& resources) -> Result<std::unique_ptr<Source>> {
         CALVE_ASSIGN_OR_RETURN(MysqlOptions options, MysqlOptions::Declaration().Parse(node));
         return std::make_unique<MysqlSource>(std::move(options), resources.project_folder);
       },
       .details = std::string(kDetails)});
}

}  // namespace calve::source
