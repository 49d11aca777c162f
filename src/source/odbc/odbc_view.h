#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "source/odbc/column_types.h"
#include "source/odbc/connection.h"
#include "source/odbc/odbc_options.h"
#include "source/table_source.h"

namespace calve::source::odbc {

/// A database behind an ODBC driver. Each table, or each part of one, is read by one statement on a
/// connection of its own, and so as the database shows it to one statement. What Read does is for any
/// thread.
class OdbcView : public DatabaseView, public std::enable_shared_from_this<OdbcView> {
 public:
  static Result<std::shared_ptr<OdbcView>> Open(const Context& context, const OdbcOptions& options);

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
  std::string FromNothing() const override;
  Status CheckCursor(const Relation& relation, const TableColumn& column) const override;
  Result<std::unique_ptr<RowReader>> Read(const Context& context, const Relation& relation,
                                          const std::string& sql,
                                          const PlanOptions& options) override;

 private:
  using Held = std::unique_ptr<Connection>;
  class Reader;

  OdbcView(OdbcOptions options, TypePolicy policy, Address address)
      : options_(std::move(options)), policy_(std::move(policy)), address_(std::move(address)) {}

  Result<Held> Take(const Context& context);
  void GiveBack(Held connection);

  const OdbcOptions options_;
  const TypePolicy policy_;
  const Address address_;
  std::string database_kind_;
  std::string name_quote_;

  std::mutex mutex_;
  std::vector<Held> idle_;
};

}  // namespace calve::source::odbc
