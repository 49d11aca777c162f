#include "source/sqlite/value_column.h"

#include <arrow/builder.h>

#include <array>
#include <charconv>
#include <utility>

#include "base/text.h"
#include "columnar/arrow_status.h"
#include "columnar/text_column.h"

namespace calve::source::sqlite {
namespace {

using io::SqliteStatement;
using Storage = io::StorageClass;
using Misfit = RowsRead::Misfit;

/// A double in the fewest digits that are that double, without exponent.
std::string PrintReal(double real) {
  std::array<char, 800> digits{};
  const auto end =
      std::to_chars(digits.data(), digits.data() + digits.size(), real, std::chars_format::fixed);
  return {digits.data(), end.ptr};
}

std::string PrintValue(const SqliteStatement& row, int column) {
  switch (row.StorageOf(column)) {
    case Storage::kInteger:
      return std::to_string(row.Integer(column));
    case Storage::kReal:
      return PrintReal(row.Real(column));
    case Storage::kText:
      return std::string(row.Bytes(column));
    case Storage::kBlob:
      return "a blob of " + std::to_string(row.Bytes(column).size()) + " bytes";
    case Storage::kNull:
      return "NULL";
  }
  return "";
}

std::string_view NameOf(Storage storage) {
  switch (storage) {
    case Storage::kInteger:
      return "an integer";
    case Storage::kReal:
      return "a real";
    case Storage::kText:
      return "a text";
    case Storage::kBlob:
      return "a blob";
    case Storage::kNull:
      return "NULL";
  }
  return "";
}

/// Columns of one storage class, which the values have already.
template <typename Builder>
class PlainColumn : public ValueColumn {
 public:
  explicit PlainColumn(std::string type) : type_(std::move(type)) {}

  void Take(const SqliteStatement& row, int column) override {
    const Storage storage = row.StorageOf(column);
    if (storage == Storage::kNull) {
      Note(builder_.AppendNull());
    } else if (!Append(row, column, storage)) {
      Refuse(row, column, storage);
      Note(builder_.AppendNull());
    }
    ++rows_;
  }
  Result<std::shared_ptr<arrow::Array>> Finish(std::vector<Misfit>* misfits) override {
    CALVE_RETURN_IF_ERROR(failed_);
    *misfits = std::exchange(misfits_, {});
    rows_ = 0;
    std::shared_ptr<arrow::Array> array;
    CALVE_RETURN_IF_ERROR(builder_.Finish(&array));
    return array;
  }

 private:
  /// False when the value is not of the column's type.
  bool Append(const SqliteStatement& row, int column, Storage storage) {
    if constexpr (std::is_same_v<Builder, arrow::Int64Builder>) {
      if (storage != Storage::kInteger) return false;
      Note(builder_.Append(row.Integer(column)));
    } else if constexpr (std::is_same_v<Builder, arrow::DoubleBuilder>) {
      const double real = row.Real(column);
      // An integer is this double, or it has more digits than a double holds.
      const bool exact =
          storage == Storage::kInteger && real >= -9007199254740992.0 && real <= 9007199254740992.0;
      if (storage != Storage::kReal && !exact) return false;
      Note(builder_.Append(real));
    } else if constexpr (std::is_same_v<Builder, arrow::StringBuilder>) {
      if (storage != Storage::kText || !IsValidUtf8(row.Bytes(column))) return false;
      Note(builder_.Append(row.Bytes(column)));
    } else {
      if (storage != Storage::kBlob) return false;
      Note(builder_.Append(row.Bytes(column)));
    }
    return true;
  }
  void Refuse(const SqliteStatement& row, int column, Storage storage) {
    const std::string text = PrintValue(row, column);
    const bool is_text = storage == Storage::kText && type_ == "string";
    misfits_.push_back({.row = rows_,
                        .text = IsValidUtf8(text) ? text : "bytes",
                        .reason = is_text ? "the text is not UTF-8; mend it in the database"
                                          : std::string(NameOf(storage)) + " is no " + type_ +
                                                "; mend the value, or give the column another "
                                                "type by types"});
  }
  void Note(const arrow::Status& status) {
    if (!status.ok() && failed_.ok()) failed_ = StatusOf(status);
  }

  const std::string type_;
  Builder builder_;
  std::vector<Misfit> misfits_;
  int64_t rows_ = 0;
  Status failed_;
};

/// Columns whose values SQLite stores as texts or numbers: dates, times, decimals, booleans.
class ParsedColumn : public ValueColumn {
 public:
  ParsedColumn(std::shared_ptr<arrow::DataType> type, std::unique_ptr<columnar::TextColumn> column)
      : type_(std::move(type)), column_(std::move(column)) {}

  void Take(const SqliteStatement& row, int column) override {
    const Storage storage = row.StorageOf(column);
    // A blob is text of no type that is parsed, as its words below are.
    std::string text = storage == Storage::kNull ? "" : PrintValue(row, column);
    if (type_->id() == arrow::Type::BOOL && storage == Storage::kInteger) {
      if (text == "0") text = "false";
      if (text == "1") text = "true";
    }
    if (type_->id() != arrow::Type::STRING && !IsValidUtf8(text)) text = "bytes";
    texts_.push_back(std::move(text));
    nulls_.push_back(storage == Storage::kNull);
  }
  Result<std::shared_ptr<arrow::Array>> Finish(std::vector<Misfit>* misfits) override {
    std::vector<columnar::TextValue> values;
    for (size_t i = 0; i < texts_.size(); ++i)
      values.push_back({.text = texts_[i], .null = nulls_[i]});
    std::vector<int64_t> unfit;
    CALVE_RETURN_IF_ERROR(column_->Append(values, &unfit));
    for (const int64_t row : unfit) {
      const std::string& text = texts_[static_cast<size_t>(row)];
      misfits->push_back({.row = row,
                          .text = text,
                          .reason = columnar::MisfitReason(text, *type_, {}) +
                                    "; mend the value, or give the column another type by types"});
    }
    CALVE_ASSIGN_OR_RETURN(auto array, column_->Finish());
    texts_.clear();
    nulls_.clear();
    return array;
  }

 private:
  const std::shared_ptr<arrow::DataType> type_;
  const std::unique_ptr<columnar::TextColumn> column_;
  std::vector<std::string> texts_;
  std::vector<bool> nulls_;
};

}  // namespace

Result<std::unique_ptr<ValueColumn>> MakeValueColumn(const std::shared_ptr<arrow::DataType>& type) {
  std::unique_ptr<ValueColumn> made;
  switch (type->id()) {
    case arrow::Type::INT64:
      made = std::make_unique<PlainColumn<arrow::Int64Builder>>("long");
      return made;
    case arrow::Type::DOUBLE:
      made = std::make_unique<PlainColumn<arrow::DoubleBuilder>>("double");
      return made;
    case arrow::Type::STRING:
      made = std::make_unique<PlainColumn<arrow::StringBuilder>>("string");
      return made;
    case arrow::Type::BINARY:
      made = std::make_unique<PlainColumn<arrow::BinaryBuilder>>("binary");
      return made;
    default:
      break;
  }
  CALVE_ASSIGN_OR_RETURN(auto column, columnar::MakeTextColumn(type, {}));
  made = std::make_unique<ParsedColumn>(type, std::move(column));
  return made;
}

}  // namespace calve::source::sqlite
