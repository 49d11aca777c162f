#pragma once

#include <arrow/type.h>

#include <any>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "columnar/traced_batch.h"
#include "source/source.h"
#include "source/table_options.h"
#include "source/table_position.h"

namespace calve::source {

/// A column of a table as a database gives it.
struct TableColumn {
  std::string name;
  std::shared_ptr<arrow::DataType> type;
  std::string expression;  ///< What is selected for it.
  bool nullable = true;
  std::any native;  ///< The database's own.
};

/// A table, a view or a query.
struct Relation {
  std::string name;  ///< For people, and in positions: "public.orders".
  std::string from;  ///< What stands behind FROM.
  std::vector<TableColumn> columns;
  std::vector<std::string> key;  ///< The columns that tell its rows apart; empty: not known.
  ByteCount bytes{0};            ///< An estimate; 0 when unknown.
  std::any native;               ///< The database's own.

  const TableColumn* Find(const std::string& column) const;
};

/// Rows as a database gave them. A value that its column cannot hold is null in `rows`, and named.
struct RowsRead {
  struct Misfit {
    int64_t row = 0;
    size_t column = 0;
    std::string text;    ///< The value, as the database prints it.
    std::string reason;  ///< One sentence, without the column's name.
  };
  columnar::Batch rows;         ///< The relation's columns, in their order.
  std::vector<Misfit> misfits;  ///< Ascending by row; at most one a row.
  ByteCount bytes{0};

  /// Put misfits that were found column by column in that order.
  void KeepFirstOfRow();
};

/// The rows of one SELECT. For one thread.
class RowReader {
 public:
  virtual ~RowReader() = default;
  /// The next rows, or nothing at the end.
  virtual Result<std::optional<RowsRead>> Next(const Context& context) = 0;
};

/// One unchanging view of a database, for as long as it lives. Threads: one; but several may Read
/// at once.
class DatabaseView {
 public:
  virtual ~DatabaseView() = default;
  /// The tables that the options name, still without columns. Fails with kNotFound when one is not
  /// there.
  virtual Result<std::vector<Relation>> Relations(const Context& context,
                                                  const TableOptions& options) = 0;
  /// Fill in the columns, all of them, and what else is known. Fails with kRefused on rights.
  virtual Status Describe(const Context& context, const PlanOptions& options, Relation* relation,
                          std::vector<std::string>* notes) = 0;
  /// Conditions that part the rows of a relation, for readers side by side: about `parts_max`, none
  /// where it has no row. An empty condition means all.
  virtual Result<std::vector<std::string>> Parts(const Context& context, const Relation& relation,
                                                 int64_t parts_max) = 0;
  /// The single value that a query gives, in the form that Literal takes; nothing for NULL or no
  /// row.
  virtual Result<std::optional<std::string>> Value(const Context& context,
                                                   const std::string& query) = 0;
  /// The text of a column's value, as an expression.
  virtual std::string TextOf(const TableColumn& column, const std::string& expression) const = 0;
  /// A value of a column in SQL, from its text.
  virtual std::string Literal(const TableColumn& column, const std::string& text) const = 0;
  /// The value that lies `back` below another, as an expression. Fails with kConfig where the
  /// column's type knows no such distance.
  virtual Result<std::string> Before(const TableColumn& column, const std::string& text,
                                     const LookBack& back) const = 0;
  virtual std::string QuoteName(const std::string& name) const = 0;
  /// What stands behind an expression that is selected from no table, such as " FROM dual".
  virtual std::string FromNothing() const { return ""; }
  /// See that the values of a column can be put in an order that positions go by.
  virtual Status CheckCursor(const Relation& relation, const TableColumn& column) const = 0;
  /// Read `SELECT <the relation's expressions> FROM ...`. The relation outlives the reader.
  virtual Result<std::unique_ptr<RowReader>> Read(const Context& context, const Relation& relation,
                                                  const std::string& sql,
                                                  const PlanOptions& options) = 0;
};

/// A source that reads tables by SQL: everything but the database's own part.
class TableSource : public Source {
 public:
  TableSource(std::string type, TableOptions options)
      : type_(std::move(type)), options_(std::move(options)) {}

  Status Check(const Context& context) override;
  Result<std::vector<Stream>> Discover(const Context& context) override;
  Result<ReadPlan> Plan(const Context& context, const PlanOptions& options) override;
  Result<std::unique_ptr<SplitReader>> Open(const Context& context, const ReadPlan& plan,
                                            const Split& split) override;

 protected:
  /// Look at the database as it is now; `readers` will read it at once.
  virtual Result<std::shared_ptr<DatabaseView>> OpenView(const Context& context, int readers) = 0;
  /// The place, for people: "lake on db.example.org".
  virtual std::string shown() const = 0;

 private:
  struct Planning;
  Result<std::vector<Relation>> Describe(const Context& context, const PlanOptions& options,
                                         DatabaseView& view, std::vector<std::string>* notes);
  Status PlanWhole(const Context& context, Planning& planning, size_t relation);
  Status PlanIncrement(const Context& context, Planning& planning, size_t relation);
  Result<SeenRows> Remember(const Context& context, Planning& planning, const Relation& relation,
                            const std::string& from, const std::string& until);

  const std::string type_;
  const TableOptions options_;
  PlanOptions plan_options_;
};

}  // namespace calve::source
