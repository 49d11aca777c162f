#include "avro/projection.h"

#include <algorithm>

namespace calve::avro {
namespace {

const Want* FindWant(const Field& field, bool by_name, std::span<const Want> wants) {
  const std::optional<int32_t> id = field.field_id();
  for (const Want& want : wants) {
    if (by_name ? !want.name.empty() && want.name == field.name : id == want.field_id) return &want;
  }
  return nullptr;
}

}  // namespace

Projection Projection::Of(const Node* record, std::span<const Want> wants) {
  Projection projection;
  if (record != nullptr && record->OptionalOf() != nullptr) record = record->OptionalOf();
  if (record == nullptr || record->kind != Kind::kRecord) return projection;
  const bool by_name = std::none_of(record->fields.begin(), record->fields.end(),
                                    [](const Field& field) { return field.field_id(); });
  for (const Field& field : record->fields) {
    const Node& type = *field.type;
    const Want* want = FindWant(field, by_name, wants);
    if (want == nullptr) {
      projection.AppendSkip(type);
    } else if (const Node* inner = type.OptionalOf()) {
      const int8_t null_branch = inner == type.branches[1] ? 0 : 1;
      projection.steps_.push_back({Action::kVisitOptional, {want->slot, inner, null_branch}});
    } else {
      projection.steps_.push_back({Action::kVisit, {want->slot, &type, -1}});
    }
  }
  return projection;
}

void Projection::AppendSkip(const Node& type) {
  Step step{Action::kSkip, {-1, &type, -1}};
  if (type.bytes_exact >= 0) {
    step.action = Action::kSkipBytes;
    step.amount = static_cast<uint64_t>(type.bytes_exact);
  } else if (type.varints_exact >= 0) {
    step.action = Action::kSkipVarints;
    step.amount = static_cast<uint64_t>(type.varints_exact);
  }
  if (step.action != Action::kSkip && !steps_.empty() && steps_.back().action == step.action) {
    steps_.back().amount += step.amount;
  } else {
    steps_.push_back(step);
  }
}

const Node* Projection::TypeOf(int slot) const {
  for (const Step& step : steps_) {
    if (step.item.slot == slot && slot >= 0) return step.item.type;
  }
  return nullptr;
}

}  // namespace calve::avro
