#include "source/parquet/footer_check.h"

#include <parquet/metadata.h>
#include <parquet/schema.h>
#include <parquet/types.h>

#include <algorithm>
#include <string>

#include "base/text.h"

namespace calve::source {
namespace {

/// The magic before the pages; the footer's length and the magic behind them.
constexpr int64_t kHeadBytes = 4;
constexpr int64_t kTailBytes = 8;

struct Place {
  int64_t file_bytes = 0;
  int64_t rows = 0;  ///< Of the row group.
};

Status CheckChunk(const parquet::ColumnChunkMetaData& chunk,
                  const parquet::ColumnDescriptor& column, const Place& place) {
  const auto fault = [&](const std::string& what) {
    return DataError("column " + column.path()->ToDotString() + " " + what);
  };
  if (!chunk.file_path().empty()) return fault("lies in another file, " + chunk.file_path());
  if (chunk.type() != column.physical_type()) {
    return fault("has pages of type " + parquet::TypeToString(chunk.type()) + ", its schema says " +
                 parquet::TypeToString(column.physical_type()));
  }
  if (!parquet::IsCodecSupported(chunk.compression())) {
    return fault("is compressed by a codec that calve does not read; write it with zstd");
  }
  if (place.rows == 0 && chunk.num_values() == 0) return Status::Ok();  // It may have no page.
  int64_t begin = chunk.data_page_offset();
  if (chunk.has_dictionary_page() && chunk.dictionary_page_offset() > 0) {
    begin = std::min(begin, chunk.dictionary_page_offset());
  }
  const int64_t end = place.file_bytes - kTailBytes;
  const int64_t bytes = chunk.total_compressed_size();
  if (begin < kHeadBytes || begin > end || bytes < 0 || bytes > end - begin) {
    return fault("has " + std::to_string(bytes) + " bytes from offset " + std::to_string(begin) +
                 " on, the file has " + std::to_string(place.file_bytes));
  }
  if (column.max_repetition_level() == 0 && chunk.num_values() != place.rows) {
    return fault("has " + FormatCount(chunk.num_values()) + " values in a row group of " +
                 FormatCount(place.rows) + " rows");
  }
  return Status::Ok();
}

}  // namespace

Status CheckFooter(const parquet::FileMetaData& footer, int64_t file_bytes) {
  const int columns = footer.num_columns();
  if (columns == 0) return DataError("it has no columns");
  int64_t rows_left = footer.num_rows();
  for (int i = 0; i < footer.num_row_groups(); ++i) {
    const auto group = footer.RowGroup(i);
    const int64_t rows = group->num_rows();
    if (group->num_columns() != columns) {
      return DataError("a row group has " + FormatCount(group->num_columns()) +
                       " columns, the schema " + FormatCount(columns));
    }
    if (rows < 0 || rows > rows_left) {
      return DataError("its row groups have other rows than the footer, which says " +
                       FormatCount(footer.num_rows()));
    }
    rows_left -= rows;
    for (int column = 0; column < columns; ++column) {
      CALVE_RETURN_IF_ERROR(CheckChunk(*group->ColumnChunk(column),
                                       *footer.schema()->Column(column),
                                       {.file_bytes = file_bytes, .rows = rows}));
    }
  }
  if (rows_left == 0) return Status::Ok();
  return DataError("its row groups have other rows than the footer, which says " +
                   FormatCount(footer.num_rows()));
}

}  // namespace calve::source
