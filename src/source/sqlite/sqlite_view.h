#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "io/sqlite.h"
#include "source/table_source.h"

namespace calve::source::sqlite {

struct SqliteSourceOptions : TableOptions {
  std::string path;
  std::map<std::string, std::string> types;

  static config::Shape<SqliteSourceOptions> Declaration();
};

/// A SQLite file as it was when the view was opened: one read transaction on one connection, by which
/// one reads at a time.
class SqliteView : public DatabaseView, public std::enable_shared_from_this<SqliteView> {
 public:
  static Result<std::shared_ptr<SqliteView>> Open(const Context& context,
                                                  const SqliteSourceOptions& options,
                                                  const std::string& file);

  Result<std::vector<Relation>> Relations(const Context& context,
                                          const TableOptions& options) override;
  Status Describe(const Context& context, const PlanOptions& options, Relation* relation,
                  std::vector<std::string>* notes) override;
  Result<std::vector<std::string>> Parts(const Context& context, const Relation& relation,
                                         int64_t parts_max) override;
  Result<std::optional<std::string>> Value(const Context& context,
                                           const std::string& query) override;
  std::string TextOf(const TableColumn& column, const std::string& expression) const override;
  std::string Literal(const TableColumn& column, const std::string& text) const override;
  Result<std::string> Before(const TableColumn& column, const std::string& text,
                             const LookBack& back) const override;
  std::string QuoteName(const std::string& name) const override;
  Status CheckCursor(const Relation& relation, const TableColumn& column) const override;
  Result<std::unique_ptr<RowReader>> Read(const Context& context, const Relation& relation,
                                          const std::string& sql,
                                          const PlanOptions& options) override;

 private:
  SqliteView(SqliteSourceOptions options, io::SqliteDatabase database)
      : options_(std::move(options)), database_(std::move(database)) {}

  /// Have the connection for oneself, until what is given is gone.
  Result<std::shared_ptr<io::SqliteDatabase>> Take(const Context& context);
  Result<std::vector<std::string>> Names(const Context& context);
  /// The type of a column by all values that it has.
  Result<std::shared_ptr<arrow::DataType>> TypeOfValues(const Context& context,
                                                        const Relation& relation,
                                                        const std::string& name);
  static Error Explained(Error error);

  const SqliteSourceOptions options_;
  io::SqliteDatabase database_;
  std::stop_token stop_;  ///< Of who has the connection.
  std::mutex mutex_;
  bool taken_ = false;
};

}  // namespace calve::source::sqlite
