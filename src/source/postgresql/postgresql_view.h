#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "io/postgres.h"
#include "source/postgresql/column_types.h"
#include "source/postgresql/postgresql_options.h"
#include "source/table_source.h"

namespace calve::source::postgresql {

/// A database as it was when the view was opened: one exported snapshot, which every connection that
/// reads takes over. What Read does is for any thread.
class PostgresqlView : public DatabaseView, public std::enable_shared_from_this<PostgresqlView> {
 public:
  static Result<std::shared_ptr<PostgresqlView>> Open(const Context& context,
                                                      const PostgresqlOptions& options,
                                                      const std::string& folder);

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
  std::string QuoteName(const std::string& name) const override { return QuoteIdentifier(name); }
  Status CheckCursor(const Relation& relation, const TableColumn& column) const override;
  Result<std::unique_ptr<RowReader>> Read(const Context& context, const Relation& relation,
                                          const std::string& sql,
                                          const PlanOptions& options) override;

 private:
  using Connection = std::unique_ptr<io::PostgresDatabase>;
  /// What is known of a relation beside Relation.
  struct Native {
    std::string oid;            ///< Empty for a query.
    int64_t largest_bytes = 0;  ///< Of it, or of the largest of its partitions.
    bool has_blocks = false;    ///< Whether its rows can be told apart by blocks (ctid).
  };
  struct Found {
    std::string schema;
    std::string name;
    std::string oid;
    bool is_partition = false;
  };

  PostgresqlView(PostgresqlOptions options, std::string uri)
      : options_(std::move(options)), uri_(std::move(uri)), types_(options_.types()) {}

  Status Begin(const Context& context);
  Result<Connection> Connect(const Context& context) const;
  /// A connection that sees the view, for one reader at a time.
  Result<Connection> Take(const Context& context);
  void GiveBack(Connection connection);
  Result<std::vector<Found>> List(const Context& context, const std::string& schema);
  Status AddMatches(const Context& context, const std::string& pattern,
                    std::vector<Relation>* relations);
  Status DescribeTable(const Context& context, Relation* relation);
  Status MeasureTable(const Context& context, Relation* relation);
  /// What a person does about an error that the server gave to a query made of the options.
  static Error Explained(const io::PostgresDatabase& database, Error error);

  const PostgresqlOptions options_;
  const std::string uri_;
  ColumnTypes types_;
  std::string snapshot_;  ///< Empty where the server does not share one: then one reads at a time.
  int version_ = 0;       ///< As server_version_num.
  int64_t block_bytes_ = 8192;
  bool check_texts_ = false;
  std::string shown_;

  std::mutex mutex_;
  std::vector<Connection> idle_;  ///< The first that was opened, which keeps the snapshot, too.
};

}  // namespace calve::source::postgresql
