#include "source/file_rows.h"

#include <arrow/array/util.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "columnar/arrow_status.h"

namespace calve::source {
namespace {

class RowOrigins : public columnar::Origins {
 public:
  RowOrigins(std::string file, int64_t first_row) : file_(std::move(file)), first_row_(first_row) {}
  std::string Describe(int64_t row) const override {
    return file_ + " row " + FormatCount(first_row_ + row + 1);
  }

 private:
  const std::string file_;
  const int64_t first_row_;
};

}  // namespace

std::shared_ptr<const columnar::Origins> MakeRowOrigins(std::string file, int64_t first_row) {
  return std::make_shared<RowOrigins>(std::move(file), first_row);
}

std::string OneLine(std::string_view said) {
  std::string line(Trim(said));
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

Status AddColumnsOfFile(const arrow::Schema& schema, const std::string& file,
                        arrow::FieldVector* fields) {
  for (const auto& field : schema.fields()) {
    if (schema.GetAllFieldIndices(field->name()).size() > 1) {
      return DataError(file + ", column " + field->name() +
                       ": the file has several columns of this name; rename them where the file "
                       "is written");
    }
    const auto known = std::find_if(fields->begin(), fields->end(),
                                    [&](const auto& f) { return f->name() == field->name(); });
    if (known == fields->end()) {
      fields->push_back(field->WithNullable(true)->RemoveMetadata());
    } else if (!(*known)->type()->Equals(*field->type())) {
      return DataError(file + ", column " + field->name() + ": the type is " +
                       field->type()->ToString() + ", but " + (*known)->type()->ToString() +
                       " in the files before; load files of one kind by a job of its own");
    }
  }
  return Status::Ok();
}

Result<columnar::Batch> ArrangeRows(const arrow::RecordBatch& rows,
                                    const std::shared_ptr<arrow::Schema>& schema) {
  arrow::ArrayVector arrays;
  for (const auto& field : schema->fields()) {
    auto column = rows.GetColumnByName(field->name());
    if (column == nullptr) {
      CALVE_ASSIGN_OR_RETURN(column, arrow::MakeArrayOfNull(field->type(), rows.num_rows()));
    }
    arrays.push_back(std::move(column));
  }
  return arrow::RecordBatch::Make(schema, rows.num_rows(), std::move(arrays));
}

}  // namespace calve::source
