#include "source/table_position.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/digest.h"
#include "base/text.h"

namespace calve::source {
namespace {

using nlohmann::json;

constexpr std::string_view kKind = "tables";
constexpr size_t kHexDigits = 2 * sizeof(RowDigest);

int NibbleOf(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  return -1;
}

Error Damaged() {
  return DataError(
      "the ledger of the position in the table is damaged; roll the table back to a snapshot whose "
      "position can be read");
}

}  // namespace

RowDigest DigestOf(std::string_view row) {
  const std::string whole = Sha256(row);
  RowDigest digest;
  std::copy_n(whole.begin(), digest.size(), digest.begin());
  return digest;
}

Status SeenRows::Add(const RowDigest& row) {
  if (rows_.size() == kRowsMax) {
    return RefusedError("more than " + FormatCount(kRowsMax) +
                        " rows lie where rows may still turn up; give a shorter look_back, or a "
                        "cursor_column with finer values");
  }
  rows_.push_back(row);
  sorted_ = false;
  return Status::Ok();
}

void SeenRows::Sort() {
  if (sorted_) return;
  std::sort(rows_.begin(), rows_.end());
  sorted_ = true;
}

bool SeenRows::Take(const RowDigest& row) {
  Sort();
  taken_.resize(rows_.size());
  const auto [first, last] = std::equal_range(rows_.begin(), rows_.end(), row);
  for (auto like = first; like != last; ++like) {
    const auto index = static_cast<size_t>(like - rows_.begin());
    if (taken_[index]) continue;
    taken_[index] = true;
    return true;
  }
  return false;
}

bool SeenRows::Equals(SeenRows& other) {
  Sort();
  other.Sort();
  return rows_ == other.rows_;
}

std::string SeenRows::Print() {
  constexpr std::string_view kDigits = "0123456789abcdef";
  Sort();
  std::string text;
  text.reserve(rows_.size() * kHexDigits);
  for (const RowDigest& row : rows_) {
    for (const char byte : row) {
      text += kDigits[static_cast<unsigned char>(byte) >> 4];
      text += kDigits[static_cast<unsigned char>(byte) & 15];
    }
  }
  return text;
}

Result<SeenRows> SeenRows::Parse(std::string_view text) {
  if (text.size() % kHexDigits != 0 || text.size() / kHexDigits > kRowsMax) return Damaged();
  SeenRows seen;
  for (; !text.empty(); text.remove_prefix(kHexDigits)) {
    RowDigest row;
    for (size_t i = 0; i < row.size(); ++i) {
      const int high = NibbleOf(text[2 * i]);
      const int low = NibbleOf(text[2 * i + 1]);
      if (high < 0 || low < 0) return Damaged();
      row[i] = static_cast<char>(high * 16 + low);
    }
    CALVE_RETURN_IF_ERROR(seen.Add(row));
  }
  return seen;
}

Position TablePositions::Print() {
  json state = {{"version", 1}, {"kind", kKind}, {"type", type}, {"cursor", cursor}};
  if (tables.size() == 1) state["until"] = tables.begin()->second.until.substr(0, 1024);
  json ledger = json::object();
  for (auto& [name, table] : tables) {
    ledger[name] = {{"until", table.until},
                    {"from", table.from},
                    {"columns", table.columns},
                    {"seen", table.seen.Print()}};
  }
  return {.state = state.dump(-1, ' ', false, json::error_handler_t::replace),
          .ledger = ledger.dump(-1, ' ', false, json::error_handler_t::replace)};
}

Result<TablePositions> TablePositions::Parse(const Position& position, const std::string& type,
                                             const std::string& cursor) {
  const json state = json::parse(position.state, nullptr, /*allow_exceptions=*/false);
  const bool is_ours = state.is_object() && state.value("version", json()) == 1 &&
                       state.value("kind", json()) == kKind && state.value("type", json()) == type;
  if (!is_ours) {
    return DataError("the position in the table was made by another kind of source (" +
                     position.state.substr(0, 80) + "); a " + type +
                     " source cannot go on from it: give this job another name, or another table");
  }
  if (state.value("cursor", json()) != cursor) {
    return DataError("the table was read up to a value of the column " +
                     state.value("cursor", json("")).dump() + ", and cursor_column is now '" +
                     cursor + "'; give the job the column that it had, or another table");
  }
  TablePositions positions{.type = type, .cursor = cursor, .tables = {}};
  const json ledger = json::parse(position.ledger, nullptr, /*allow_exceptions=*/false);
  if (!ledger.is_object()) return Damaged();
  for (const auto& [name, entry] : ledger.items()) {
    TablePosition& table = positions.tables[name];
    try {
      table.until = entry.at("until").get<std::string>();
      table.from = entry.at("from").get<std::string>();
      table.columns = entry.at("columns").get<std::vector<std::string>>();
      CALVE_ASSIGN_OR_RETURN(table.seen,
                             SeenRows::Parse(entry.at("seen").get_ref<const std::string&>()));
    } catch (const json::exception&) {
      return Damaged();
    }
  }
  return positions;
}

}  // namespace calve::source
