#include "transform/concealment.h"

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

namespace calve::transform {
namespace {

constexpr std::string_view kHidden = "***";
constexpr std::string_view kWhere = " where ";
constexpr std::string_view kEquals = " = ";

/// A sentence without what it quotes: values may have quotes of their own.
std::string HideQuoted(const std::string& sentence) {
  const size_t first = sentence.find_first_of("'\"");
  const size_t last = sentence.find_last_of("'\"");
  if (first == std::string::npos || first == last) return sentence;
  return sentence.substr(0, first + 1) + std::string(kHidden) + sentence.substr(last);
}

class HiddenOrigins : public columnar::Origins {
 public:
  HiddenOrigins(std::shared_ptr<const columnar::Origins> origins,
                std::function<std::string(const std::string&)> hide)
      : origins_(std::move(origins)), hide_(std::move(hide)) {}
  std::string Describe(int64_t row) const override { return hide_(origins_->Describe(row)); }

 private:
  const std::shared_ptr<const columnar::Origins> origins_;
  const std::function<std::string(const std::string&)> hide_;
};

}  // namespace

Concealment::Concealment(const std::vector<std::string>& columns,
                         const std::shared_ptr<arrow::Schema>& input)
    : hidden_(columns.begin(), columns.end()) {
  for (const std::string& column : input->field_names()) {
    if (!hidden_.contains(column)) shown_.insert(column);
  }
}

std::string Concealment::HideKey(const std::string& place) const {
  // "shop.users where email = ada@example.org and day = 2026-11-22"
  const size_t where = place.find(kWhere);
  if (where == std::string::npos) return place;
  const std::string_view key = std::string_view(place).substr(where + kWhere.size());
  const std::string name(key.substr(0, key.find(kEquals)));
  if (shown_.contains(name) && key.find(" and ") == std::string_view::npos) return place;
  return place.substr(0, where) + ", a row whose key is masked";
}

std::string Concealment::HideFields(const std::string& row) const {
  auto parsed = nlohmann::ordered_json::parse(row, nullptr, /*allow_exceptions=*/false);
  const bool has_all = parsed.is_object() &&
                       std::all_of(hidden_.begin(), hidden_.end(),
                                   [&](const auto& column) { return parsed.contains(column); });
  // Where a column has another name, or the row is a line of a file, which value is which is not known.
  if (!has_all) return std::string(kHidden);
  for (const std::string& column : hidden_) {
    if (!parsed[column].is_null()) parsed[column] = kHidden;
  }
  return parsed.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

void Concealment::Hide(columnar::Reject* reject) const {
  if (!shown_.contains(reject->column)) reject->reason = HideQuoted(reject->reason);
  reject->raw = HideFields(reject->raw);
  reject->origin = HideKey(reject->origin);
  reject->form = columnar::RowForm::kShown;
  reject->columns.clear();
  reject->source_row = -1;
}

std::shared_ptr<const columnar::Origins> Concealment::Hide(
    std::shared_ptr<const columnar::Origins> origins) const {
  if (origins == nullptr) return origins;
  return std::make_shared<HiddenOrigins>(
      std::move(origins), [self = *this](const std::string& place) { return self.HideKey(place); });
}

bool Concealment::IsToldBy(const std::string& note) const {
  const bool names_hidden = std::any_of(
      hidden_.begin(), hidden_.end(),
      [&](const std::string& column) { return note.find(column) != std::string::npos; });
  // A column that has another name in the source may be any that the batches have not.
  const bool names_shown = std::any_of(
      shown_.begin(), shown_.end(),
      [&](const std::string& column) { return note.find(column) != std::string::npos; });
  return names_hidden || !names_shown;
}

}  // namespace calve::transform
