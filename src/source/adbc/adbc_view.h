#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "source/adbc/column_types.h"
#include "source/adbc/connection.h"
#include "source/adbc/dialect.h"
#include "source/driver_table_options.h"
#include "source/table_source.h"

namespace calve::source::adbc {

/// A database behind an ADBC driver. Each table, or each part of one, is read by one statement on a
/// connection of its own, and so as the database shows it to one statement. What Read does is for any
/// thread.
class AdbcView : public DatabaseView, public std::enable_shared_from_this<AdbcView> {
 public:
  static Result<std::shared_ptr<AdbcView>> Open(const Context& context,
                                                const DriverTableOptions& options,
                                                const Address& address);

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
  std::string FromNothing() const override { return dialect_.from_nothing; }
  Status CheckCursor(const Relation& relation, const TableColumn& column) const override;
  Result<std::unique_ptr<RowReader>> Read(const Context& context, const Relation& relation,
                                          const std::string& sql,
                                          const PlanOptions& options) override;

 private:
  using Held = std::unique_ptr<Connection>;
  class Reader;

  AdbcView(DriverTableOptions options, TypePolicy policy, std::shared_ptr<Database> database)
      : options_(std::move(options)), policy_(std::move(policy)), database_(std::move(database)) {}

  Result<Held> Take(const Context& context);
  void GiveBack(Held connection);
  const std::string& shown() const { return database_->address().shown; }
  /// The columns that a query gives, as they come and as they were declared.
  Status DescribeQuery(const Context& context, const std::string& sql,
                       std::shared_ptr<arrow::Schema>* given,
                       std::shared_ptr<arrow::Schema>* declared);

  const DriverTableOptions options_;
  const TypePolicy policy_;
  const std::shared_ptr<Database> database_;
  Dialect dialect_;
  std::string schema_;  ///< Where names without one are looked for; "": anywhere.

  std::mutex mutex_;
  std::vector<Held> idle_;
};

}  // namespace calve::source::adbc
