#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "source/mysql/column_types.h"
#include "source/mysql/connection.h"
#include "source/mysql/mysql_options.h"
#include "source/table_source.h"

namespace calve::source::mysql {

/// A server's tables as they were when the view was opened: one consistent snapshot, which all of its
/// connections see. What Read does is for any thread.
class MysqlView : public DatabaseView, public std::enable_shared_from_this<MysqlView> {
 public:
  /// Open a view for `readers` that read at once; where the server cannot show them all the same
  /// moment, for one.
  static Result<std::shared_ptr<MysqlView>> Open(const Context& context,
                                                 const MysqlOptions& options,
                                                 const std::string& folder, int readers);

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
  using Held = std::unique_ptr<Connection>;
  using Row = Connection::Row;
  class Reader;
  /// What is known of a relation beside Relation.
  struct Native {
    std::string database;  ///< Empty for a query.
    std::string table;
    std::string query;
    std::string engine;        ///< Empty for views and queries.
    std::string whole_number;  ///< The column whose ranges part its rows; empty: none.
  };

  MysqlView(MysqlOptions options, TypePolicy policy, Address address)
      : options_(std::move(options)), policy_(policy), address_(std::move(address)) {}

  /// Begin the snapshot on as many connections as can share it.
  Status Begin(const Context& context, int readers);
  Result<Held> Connect(const Context& context);
  /// Begin on all until they see the same moment; false where they may not.
  Result<bool> BeginAlike(const Context& context, const std::vector<Held>& connections);
  Status BeginLocked(const Context& context, const std::vector<Held>& connections);
  /// Whether what a connection sees can be told by the place in the binary log.
  Result<bool> LogTellsMoments(const Context& context, Connection& connection) const;
  /// A connection for one use at a time.
  Result<Held> Take(const Context& context);
  void GiveBack(Held connection);
  /// Say that a connection that was taken is lost.
  void Lose();
  Result<std::vector<Row>> Ask(const Context& context, const std::string& sql);

  Status AddMatches(const Context& context, const std::string& pattern,
                    std::vector<Relation>* relations);
  Result<std::vector<Field>> Fields(const Context& context, const Relation& relation);
  Status DescribeTable(const Context& context, Relation* relation);

  const MysqlOptions options_;
  const TypePolicy policy_;
  const Address address_;
  bool is_mariadb_ = false;
  bool shares_ = false;  ///< Whether several connections see the moment.

  std::mutex mutex_;
  std::vector<Held> idle_;
  int alive_ = 0;
};

}  // namespace calve::source::mysql
