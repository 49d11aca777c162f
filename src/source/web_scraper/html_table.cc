#include "source/web_scraper/html_table.h"

#include <algorithm>
#include <memory>

#include "base/text.h"

namespace calve::source::web_scraper {
namespace {

constexpr size_t kColumnsMax = 1'000;
constexpr int64_t kRowSpanMax = 65'534;  ///< As the HTML standard has it.

struct Cell {
  std::shared_ptr<const std::string> text;
  bool is_header = false;
};

struct Row {
  HtmlNode node;
  std::vector<Cell> cells;  ///< One for each column.
  bool is_head = false;     ///< In <thead>.
  bool is_one_cell = false;
};

/// Lays rows out into columns.
class Grid {
 public:
  explicit Grid(size_t bytes_max) : bytes_left_(bytes_max) {}

  /// What spans rows ends with its group.
  void StartGroup() { spans_.clear(); }

  Result<Row> Add(const HtmlNode& tr, bool is_head) {
    Row row{.node = tr, .cells = {}, .is_head = is_head};
    size_t own = 0;
    for (const HtmlNode& cell : tr.children()) {
      if (cell.name() != "td" && cell.name() != "th") continue;
      ++own;
      CALVE_RETURN_IF_ERROR(TakeSpans(&row, /*is_end=*/false));
      const Cell laid{.text = std::make_shared<const std::string>(cell.Text()),
                      .is_header = cell.name() == "th"};
      const int64_t columns = std::max<int64_t>(1, SpanOf(cell, "colspan", 1'000));
      const int64_t rows = SpanOf(cell, "rowspan", kRowSpanMax);
      for (int64_t i = 0; i < columns; ++i) {
        // A rowspan of 0 goes to the group's end.
        if (rows != 1) SetSpan(row.cells.size(), laid, rows == 0 ? kRowSpanMax : rows - 1);
        CALVE_RETURN_IF_ERROR(Lay(laid, &row));
      }
    }
    CALVE_RETURN_IF_ERROR(TakeSpans(&row, /*is_end=*/true));
    row.is_one_cell = own == 1 && row.cells.size() > 1 &&
                      std::all_of(row.cells.begin(), row.cells.end(), [&](const Cell& cell) {
                        return cell.text == row.cells.front().text;
                      });
    return row;
  }

 private:
  struct Span {
    Cell cell;
    int64_t rows = 0;  ///< That it still reaches into.
  };

  static int64_t SpanOf(const HtmlNode& cell, const char* name, int64_t longest) {
    const auto written = cell.Attribute(name);
    const auto span = written.has_value() ? ParseInteger(Trim(*written)) : std::nullopt;
    return span.has_value() && *span >= 0 ? std::min(*span, longest) : 1;
  }

  Status Lay(const Cell& cell, Row* row) {
    if (row->cells.size() == kColumnsMax)
      return DataError("the table has more than " + FormatCount(kColumnsMax) + " columns");
    const size_t bytes = cell.text->size() + sizeof(Cell);
    if (bytes > bytes_left_)
      return DataError(
          "the spans of the table's cells make it too large; raise page_size_max if it "
          "is sound");
    bytes_left_ -= bytes;
    row->cells.push_back(cell);
    return Status::Ok();
  }

  void SetSpan(size_t column, const Cell& cell, int64_t rows) {
    if (spans_.size() <= column) spans_.resize(std::min(kColumnsMax, column + 1));
    if (column < spans_.size()) pending_.push_back({column, {.cell = cell, .rows = rows}});
  }

  /// Lay what reaches into this row from above, up to the next free column, or all.
  Status TakeSpans(Row* row, bool is_end) {
    while (row->cells.size() < spans_.size()) {
      Span& span = spans_[row->cells.size()];
      if (span.rows == 0) break;
      --span.rows;
      const Cell cell = span.cell;
      CALVE_RETURN_IF_ERROR(Lay(cell, row));
    }
    if (!is_end) return Status::Ok();
    for (auto& [column, span] : pending_) spans_[column] = span;
    pending_.clear();
    return Status::Ok();
  }

  size_t bytes_left_;
  std::vector<Span> spans_;
  std::vector<std::pair<size_t, Span>> pending_;  ///< Of this row, for the next.
};

/// The rows of a table, not those of tables within it.
Result<std::vector<Row>> RowsOf(const HtmlNode& table, size_t bytes_max) {
  Grid grid(bytes_max);
  std::vector<Row> rows;
  const auto add_all = [&](const std::vector<HtmlNode>& nodes, bool is_head) -> Status {
    for (const HtmlNode& node : nodes) {
      if (node.name() != "tr") continue;
      CALVE_ASSIGN_OR_RETURN(Row row, grid.Add(node, is_head));
      rows.push_back(std::move(row));
    }
    return Status::Ok();
  };
  for (const HtmlNode& child : table.children()) {
    if (child.name() == "tr") {
      CALVE_RETURN_IF_ERROR(add_all({child}, false));
    } else if (child.name() == "thead" || child.name() == "tbody") {
      grid.StartGroup();
      CALVE_RETURN_IF_ERROR(add_all(child.children(), child.name() == "thead"));
      grid.StartGroup();
    }
  }
  return rows;
}

/// The names of the columns out of the header's rows: what stands above each, from top to bottom.
std::vector<std::string> NamesIn(const std::vector<Row>& rows, size_t first, size_t end) {
  std::vector<std::string> names;
  for (size_t r = first; r < end; ++r) {
    const std::vector<Cell>& cells = rows[r].cells;
    if (rows[r].is_one_cell && end - first > 1) continue;  // A title over all columns.
    names.resize(std::max(names.size(), cells.size()));
    for (size_t c = 0; c < cells.size(); ++c) {
      std::string text = *cells[c].text;
      std::replace(text.begin(), text.end(), '\n', ' ');
      const bool is_again =
          r > first && c < rows[r - 1].cells.size() && cells[c].text == rows[r - 1].cells[c].text;
      if (!text.empty() && !is_again) names[c] += (names[c].empty() ? "" : " ") + text;
    }
  }
  return names;
}

Status NameColumns(std::vector<std::string>* names, const TableOptions& options) {
  if (!options.columns.empty()) {
    if (!names->empty() && names->size() != options.columns.size()) {
      return DataError("the table has " + FormatCount(static_cast<int64_t>(names->size())) +
                       " columns, and columns names " +
                       FormatCount(static_cast<int64_t>(options.columns.size())) +
                       "; name each of them");
    }
    *names = options.columns;
  }
  for (size_t i = 0; i < names->size(); ++i) {
    std::string& name = (*names)[i];
    if (name.empty()) name = "column_" + std::to_string(i + 1);
  }
  return Status::Ok();
}

bool IsHeaderAgain(const Row& row, const Row& header) {
  if (row.cells.size() != header.cells.size()) return false;
  for (size_t i = 0; i < row.cells.size(); ++i) {
    if (!row.cells[i].is_header || *row.cells[i].text != *header.cells[i].text) return false;
  }
  return true;
}

}  // namespace

Result<PageRecords> ReadTable(const HtmlNode& table, const TableOptions& options, size_t bytes_max,
                              std::vector<HtmlNode>* nodes) {
  CALVE_ASSIGN_OR_RETURN(std::vector<Row> rows, RowsOf(table, bytes_max));
  PageRecords page;
  // The header's rows, and the first of the body.
  size_t first = 0;
  size_t body = 0;
  if (options.header_row.has_value()) {
    body = static_cast<size_t>(*options.header_row);
    first = body == 0 ? 0 : body - 1;
    if (body > rows.size()) {
      return DataError("the table has " + FormatCount(static_cast<int64_t>(rows.size())) +
                       " rows, and header_row says that row " + FormatCount(*options.header_row) +
                       " has the names of its columns; give the right one");
    }
  } else {
    while (body < rows.size() && rows[body].is_head) ++body;
    if (body == 0 && !rows.empty()) body = 1;
  }
  page.columns = NamesIn(rows, first, body);
  if (body == 0 && !rows.empty() && options.columns.empty())
    page.columns.resize(rows.front().cells.size());
  CALVE_RETURN_IF_ERROR(NameColumns(&page.columns, options));
  for (size_t r = body; r < rows.size(); ++r) {
    const Row& row = rows[r];
    const bool is_title = row.is_one_cell && row.cells.size() >= page.columns.size();
    if (row.cells.empty() || is_title || (body > 0 && IsHeaderAgain(row, rows[body - 1]))) continue;
    PageRecords::Record record{.number = static_cast<int64_t>(r) + 1, .values = {}, .fault = {}};
    for (const Cell& cell : row.cells) record.values.emplace_back(*cell.text);
    if (row.cells.size() != page.columns.size()) {
      record.fault = "the row has " + FormatCount(static_cast<int64_t>(row.cells.size())) +
                     (row.cells.size() == 1 ? " cell, expected " : " cells, expected ") +
                     FormatCount(static_cast<int64_t>(page.columns.size())) + " as the header has";
    }
    page.records.push_back(std::move(record));
    nodes->push_back(row.node);
  }
  return page;
}

}  // namespace calve::source::web_scraper
