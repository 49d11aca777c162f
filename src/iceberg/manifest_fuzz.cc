#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/context.h"
#include "iceberg/expression.h"
#include "iceberg/manifest.h"
#include "iceberg/manifest_schema.h"
#include "iceberg/manifest_writer.h"
#include "iceberg/scan.h"
#include "iceberg/update.h"

namespace {

using namespace calve;           // NOLINT(google-build-using-namespace)
using namespace calve::iceberg;  // NOLINT(google-build-using-namespace)

void Require(bool holds) {
  if (!holds) std::abort();
}

/// Every file has the same bytes.
class OneFile : public Files {
 public:
  explicit OneFile(std::string bytes) : bytes_(std::move(bytes)) {}
  Result<std::string> Read(const Context&, const std::string&, int64_t) override { return bytes_; }
  Result<std::string> ReadRange(const Context&, const std::string&, int64_t, int64_t) override {
    return bytes_;
  }
  Status Write(const Context&, const std::string&, std::string_view) override {
    return Status::Ok();
  }

 private:
  std::string bytes_;
};

const TableMetadata& Table() {
  static const TableMetadata kTable = [] {
    const CreateTableOptions options{
        .location = "x",
        .uuid = "u",
        .fields = {{.id = FieldId(1), .name = "a", .type = Type::Long()},
                   {.id = FieldId(2), .name = "b", .type = Type::String()}},
        .partition_fields = {{.source_id = FieldId(2),
                              .field_id = FieldId(1000),
                              .name = "b",
                              .transform = Transform::Identity()}},
        .properties = {{"format-version", "3"}}};
    return Apply(nullptr, CreateTable(options).value(), {}).value();
  }();
  return kTable;
}

/// What was read of a manifest can be written, and reads as the same again.
void CheckRewrite(const Context& context, const std::vector<ManifestEntry>& entries,
                  const ManifestFile& manifest) {
  const ManifestWriterOptions options{.format_version = 3,
                                      .snapshot_id = SnapshotId(9),
                                      .schema = Table().schema(),
                                      .spec = &Table().spec(),
                                      .partition_type = PartitionTypeOf(Table(), Table().spec())};
  Result<ManifestWriter> writer = ManifestWriter::Open(options, *context.random);
  Require(writer.ok());
  for (ManifestEntry entry : entries) {
    if (entry.status == EntryStatus::kAdded) entry.status = EntryStatus::kExisting;
    if (!writer->Add(entry).ok()) return;
  }
  const Result<EncodedManifest> encoded = writer->Close();
  Require(encoded.ok());
  OneFile file(encoded->bytes);
  const Result<std::vector<ManifestEntry>> again =
      ReadManifest(context, file, Table(), manifest, {.deleted_entries = true});
  Require(again.ok() && again->size() == entries.size());
  for (size_t i = 0; i < entries.size(); ++i) Require(*again.value()[i].file == *entries[i].file);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static OwnedContext context;
  OneFile file(std::string(reinterpret_cast<const char*>(data), size));
  const ManifestFile manifest{
      .path = "m", .sequence_number = SequenceNumber(3), .first_row_id = RowId(10)};
  const Result<std::vector<ManifestEntry>> entries =
      ReadManifest(*context, file, Table(), manifest, {.deleted_entries = true});
  if (entries.ok()) CheckRewrite(*context, *entries, manifest);
  TableMetadata metadata = Table();
  metadata.snapshots.push_back(
      {.id = SnapshotId(5), .manifest_list = "l", .operation = Operation::kAppend});
  (void)ReadManifestList(*context, file, metadata, metadata.snapshots.back()).ok();
  (void)PlanScan(
      *context, file, metadata,
      {.snapshot_id = SnapshotId(5),
       .filter = Expression::Compare(Expression::Op::kEqual, FieldId(1), {Value(int64_t{4})})})
      .ok();
  return 0;
}
