#pragma once

#include <arrow/type.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "source/table_source.h"
#include "source/value_decoder.h"

namespace calve::source {

/// Gathers rows, value by value, as a server sends them. For one thread.
class RowDecoders {
 public:
  /// One decoder for each column of a relation.
  RowDecoders(const Relation& relation,
              const std::function<std::unique_ptr<ValueDecoder>(const TableColumn&)>& make);

  size_t columns() const { return decoders_.size(); }
  int64_t rows() const { return rows_; }
  /// Make room for more rows: before each.
  Status Reserve() {
    if (rows_ < reserved_) [[likely]]
      return Status::Ok();
    return ReserveMore();
  }
  /// Take a value of the row that is being read.
  void Take(size_t column, std::string_view value) {
    if (!decoders_[column]->Append(value)) [[unlikely]]
      Refuse(column, value);
  }
  void TakeNull(size_t column) { decoders_[column]->AppendNull(); }
  void EndRow() { ++rows_; }
  /// The rows since the last call; nothing where there is none.
  Result<std::optional<RowsRead>> Finish(ByteCount bytes);

 private:
  Status ReserveMore();
  void Refuse(size_t column, std::string_view value);

  std::shared_ptr<arrow::Schema> schema_;
  std::vector<std::unique_ptr<ValueDecoder>> decoders_;
  std::vector<RowsRead::Misfit> misfits_;
  int64_t rows_ = 0;
  int64_t reserved_ = 0;
};

}  // namespace calve::source
