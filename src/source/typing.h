#pragma once

#include <arrow/type.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "columnar/text_column.h"

namespace calve::source {

/// The Arrow type of a column that is given an Iceberg type by name. Fails with kConfig on a name that
/// is not known, with the nearest.
Result<std::shared_ptr<arrow::DataType>> ParseColumnType(const std::string& name);

/// Check the names of types that a person gave for columns.
Status CheckTypes(const std::map<std::string, std::string>& types);

/// Decides the types of the columns of a text source: what the person said, else what the target
/// wants (wider where allowed and needed), else what a sample shows. For one thread.
class ColumnTyping {
 public:
  struct Options {
    columnar::TextFormats formats;
    std::map<std::string, std::string> types;  ///< Iceberg's names of types, by column; checked.
    std::shared_ptr<arrow::Schema> wanted;     ///< May be null.
    bool widen = false;
  };
  explicit ColumnTyping(Options options) : options_(std::move(options)) {}

  bool empty() const { return columns_.empty(); }
  /// The column of this name, added when it is not known.
  size_t Column(const std::string& name);
  /// Look at one value that is not null; `line` is for the notes.
  void See(size_t column, std::string_view text, int64_t line);
  /// The columns in the order in which they came up, and notes on what a person should know. Fails
  /// with kConfig when a type is given for a column that is not there, naming the nearest.
  Result<std::shared_ptr<arrow::Schema>> Schema(std::vector<std::string>* notes) const;

 private:
  struct State {
    std::string name;
    columnar::TypeGuess guess;
    std::shared_ptr<arrow::DataType> wanted;  ///< Null: none.
    std::unique_ptr<columnar::TextColumn>
        trial;           ///< Reads into the wanted type, to see whether it does.
    std::string misfit;  ///< The first text that is no value of the wanted type, and its line.
    int64_t surprise_line = 0;
  };
  Result<std::shared_ptr<arrow::DataType>> TypeOf(const State& column,
                                                  std::vector<std::string>* notes) const;

  Options options_;
  std::vector<State> columns_;
  std::map<std::string, size_t, std::less<>> places_;
};

}  // namespace calve::source
