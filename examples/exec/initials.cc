/// A transformer in C++: a column `initials` beside `name`, as `transformer: {type: exec, command: [./initials]}` runs it.
///
/// It reads an Arrow stream on its standard input, and writes one batch for each that it reads. `make dev` builds it as
/// build/dev/example_initials; by itself: g++ -std=c++20 initials.cc -larrow -o initials
#include <arrow/api.h>
#include <arrow/io/stdio.h>
#include <arrow/ipc/api.h>

#include <cctype>
#include <cstdio>
#include <iostream>
#include <string>
#include <string_view>

namespace {

std::string Initials(std::string_view name) {
  std::string initials;
  bool begins = true;
  for (const char c : name) {
    if (begins && c != ' ')
      initials += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    begins = c == ' ';
  }
  return initials;
}

arrow::Result<std::shared_ptr<arrow::Array>> InitialsOf(const arrow::StringArray& names) {
  arrow::StringBuilder builder;
  for (int64_t row = 0; row < names.length(); ++row) {
    ARROW_RETURN_NOT_OK(names.IsNull(row) ? builder.AppendNull()
                                          : builder.Append(Initials(names.GetView(row))));
  }
  return builder.Finish();
}

arrow::Status Run() {
  arrow::io::StdoutStream output;
  ARROW_ASSIGN_OR_RAISE(auto rows, arrow::ipc::RecordBatchStreamReader::Open(
                                       std::make_shared<arrow::io::StdinStream>()));
  const auto input = rows->schema();
  const int name = input->GetFieldIndex("name");
  if (name < 0 || input->field(name)->type()->id() != arrow::Type::STRING)
    return arrow::Status::Invalid("there is no text column 'name'");
  ARROW_ASSIGN_OR_RAISE(
      const auto schema,
      input->AddField(input->num_fields(), arrow::field("initials", arrow::utf8())));
  ARROW_ASSIGN_OR_RAISE(auto writer, arrow::ipc::MakeStreamWriter(&output, schema));
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto batch, rows->Next());
    if (batch == nullptr) break;
    ARROW_ASSIGN_OR_RAISE(auto made,
                          InitialsOf(static_cast<const arrow::StringArray&>(*batch->column(name))));
    auto columns = batch->columns();
    columns.push_back(std::move(made));
    ARROW_RETURN_NOT_OK(writer->WriteRecordBatch(
        *arrow::RecordBatch::Make(schema, batch->num_rows(), std::move(columns))));
    ARROW_RETURN_NOT_OK(output.Flush());  // calve waits for this batch before it sends the next.
  }
  return writer->Close();
}

}  // namespace

int main() {
  const arrow::Status done = Run();
  if (!done.ok()) std::cerr << done.ToString() << "\n";
  return done.ok() ? 0 : 1;
}
