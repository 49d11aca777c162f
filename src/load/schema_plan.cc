#include "load/schema_plan.h"

#include <arrow/extension/uuid.h>

#include <algorithm>
#include <string>
#include <utility>

#include "base/text.h"
#include "columnar/convert.h"
#include "columnar/variant_array.h"
#include "iceberg/schema_edit.h"

namespace calve::load {
namespace {

using audit::DriftPolicy;
using iceberg::Field;
using iceberg::Type;
using Kind = SchemaPlan::Step::Kind;

const Field* FindByName(const std::vector<Field>& fields, const std::string& name) {
  const auto found =
      std::find_if(fields.begin(), fields.end(), [&](const Field& f) { return f.name == name; });
  return found == fields.end() ? nullptr : &*found;
}

/// Whether every value of `from` is a value of `to`, so that rows are cast without loss.
bool Fits(const Type& from, const Type& to, int format_version);

bool NestedFits(const Type& from, const Type& to, int format_version) {
  if (from.kind() != to.kind()) return false;
  if (from.kind() != iceberg::TypeKind::kStruct) {
    for (size_t i = 0; i < from.fields().size(); ++i) {
      if (!Fits(from.fields()[i].type, to.fields()[i].type, format_version)) return false;
    }
    return true;
  }
  return std::all_of(from.fields().begin(), from.fields().end(), [&](const Field& field) {
    const Field* target = FindByName(to.fields(), field.name);
    return target != nullptr && Fits(field.type, target->type, format_version);
  });
}

bool Fits(const Type& from, const Type& to, int format_version) {
  if (from.is_nested()) return NestedFits(from, to, format_version);
  if (from == to || from.kind() == iceberg::TypeKind::kUnknown) return true;
  const bool int_to_decimal = from.kind() == iceberg::TypeKind::kInt &&
                              to.kind() == iceberg::TypeKind::kDecimal &&
                              to.precision() - to.scale() >= 10;
  const bool long_to_decimal = from.kind() == iceberg::TypeKind::kLong &&
                               to.kind() == iceberg::TypeKind::kDecimal &&
                               to.precision() - to.scale() >= 19;
  const bool decimal_grows =
      from.kind() == iceberg::TypeKind::kDecimal && to.kind() == iceberg::TypeKind::kDecimal &&
      to.scale() >= from.scale() && to.precision() - to.scale() >= from.precision() - from.scale();
  // The text is JSON then; rows whose text is none are held back.
  const bool json_to_variant =
      from.kind() == iceberg::TypeKind::kString && to.kind() == iceberg::TypeKind::kVariant;
  return int_to_decimal || long_to_decimal || decimal_grows || json_to_variant ||
         iceberg::IsPromotion(from, to, format_version);
}

class Meeting {
 public:
  Meeting(const SchemaMeeting& meeting, const std::vector<Field>& incoming)
      : meeting_(meeting), incoming_(incoming) {
    if (meeting.contract != nullptr) {
      on_new_column_ = meeting.contract->on_new_column;
      on_type_change_ = meeting.contract->on_type_change;
    }
  }

  Result<SchemaPlan> Decide() {
    plan_.new_table = meeting_.current == nullptr;
    if (!plan_.new_table) fields_ = meeting_.current->fields();
    CheckKinship();
    for (const Field& field : incoming_) DecideColumn(field);
    if (!plan_.new_table) {
      CheckMissing();
      NoteGone();
    }
    if (!faults_.empty()) return DataError(Join(faults_, "\n"));
    CALVE_ASSIGN_OR_RETURN(
        plan_.schema,
        iceberg::Schema::Make(iceberg::SchemaId(0),
                              iceberg::AssignFreshIds(fields_, iceberg::FieldId(0)).first));
    return std::move(plan_);
  }

 private:
  /// Rows without a single column of the table are of something else: a file with another
  /// delimiter, another table's rows. Taken for new columns they would be rows of NULLs.
  void CheckKinship() {
    if (fields_.empty() || incoming_.empty()) return;
    const auto is_known = [&](const Field& field) {
      return std::any_of(fields_.begin(), fields_.end(), [&](const Field& known) {
        return ToLower(known.name) == ToLower(field.name);
      });
    };
    if (std::any_of(incoming_.begin(), incoming_.end(), is_known)) return;
    faults_.push_back("the source has no column of " + meeting_.table + ": expected " +
                      NamesOf(fields_) + ", found " + NamesOf(incoming_) +
                      "; see that it is the right file and its delimiter is set, or rename "
                      "columns with a column_mapping transformer");
  }

  static std::string NamesOf(const std::vector<Field>& fields) {
    constexpr size_t kShown = 5;
    std::vector<std::string> names;
    for (size_t i = 0; i < std::min(fields.size(), kShown); ++i)
      names.push_back("'" + fields[i].name + "'");
    return Join(names, ", ") + (fields.size() > kShown ? ", ..." : "");
  }

  void DecideColumn(const Field& field) {
    Field* known = nullptr;
    for (Field& candidate : fields_) {
      if (candidate.name == field.name) known = &candidate;
    }
    if (known != nullptr) return MeetKnown(field, *known, field.name);
    for (const Field& candidate : fields_) {
      if (ToLower(candidate.name) != ToLower(field.name)) continue;
      faults_.push_back("column '" + field.name + "' differs from the table's '" + candidate.name +
                        "' only in upper and lower case, which engines do not tell apart; rename "
                        "it with a column_mapping transformer");
      return;
    }
    if (plan_.new_table) {
      MakeColumn(field);
    } else {
      MeetNew(field, fields_, field.name);
    }
  }

  void MakeColumn(const Field& field) {
    Field made = field;
    made.required = false;
    const Type* promised = PromisedType(field.name);
    if (promised != nullptr && !(*promised == field.type)) {
      if (!Fits(field.type, *promised, meeting_.format_version)) {
        faults_.push_back(
            "column '" + field.name + "' is " + field.type.ToString() + ", but its contract says " +
            promised->ToString() +
            "; convert it with a type_conversion transformer, or change the contract");
        return;
      }
      made.type = *promised;
    }
    fields_.push_back(std::move(made));
  }

  /// A column that the table, or a struct in it, does not have; `siblings` are those that it has.
  void MeetNew(const Field& field, std::vector<Field>& siblings, const std::string& full_name) {
    SchemaPlan::Step step{.kind = Kind::kAdd,
                          .column = full_name,
                          .from = "",
                          .to = field.type.ToString(),
                          .why = ""};
    switch (on_new_column_) {
      case DriftPolicy::kEvolve:
        step.why = "new in the source, allowed by the contract (evolve)";
        siblings.push_back(field);
        siblings.back().required = false;
        break;
      case DriftPolicy::kFreeze:
        faults_.push_back("column '" + full_name + "' is new in the source, and the contract of " +
                          meeting_.table +
                          " freezes the schema; leave it out with a column_mapping transformer, or "
                          "set on_new_column: evolve");
        return;
      case DriftPolicy::kQuarantine:
        step.kind = Kind::kLeaveOut;
        step.why = "new in the source, left out by the contract (on_new_column: quarantine)";
        break;
    }
    plan_.steps.push_back(std::move(step));
  }

  void MeetKnown(const Field& field, Field& known, const std::string& full_name) {
    if (Fits(field.type, known.type, meeting_.format_version)) return;
    if (field.type.is_nested() && field.type.kind() == known.type.kind())
      return MeetNested(field.type, known.type, full_name);
    SchemaPlan::Step step{.kind = Kind::kWiden,
                          .column = full_name,
                          .from = known.type.ToString(),
                          .to = field.type.ToString(),
                          .why = ""};
    const bool can_widen = iceberg::IsPromotion(known.type, field.type, meeting_.format_version);
    const bool narrows = Fits(known.type, field.type, meeting_.format_version);
    if (on_type_change_ == DriftPolicy::kEvolve && can_widen) {
      step.why = "wider in the source, allowed by the contract (evolve)";
      known.type = field.type;
    } else if (on_type_change_ != DriftPolicy::kFreeze && narrows) {
      step.kind = Kind::kReject;
      step.why = "wider in the source; rows whose value does not fit go to quarantine";
    } else {
      faults_.push_back(
          "column '" + full_name + "' is " + field.type.ToString() + " in the source and " +
          known.type.ToString() + " in " + meeting_.table +
          (narrows ? ", and the contract freezes types; set on_type_change: evolve or quarantine"
                   : "; convert it with a type_conversion transformer"));
      return;
    }
    plan_.steps.push_back(std::move(step));
  }

  /// The fields of a struct, the element of a list, the key and value of a map, each as a column.
  void MeetNested(const Type& incoming, Type& known, const std::string& full_name) {
    std::vector<Field> fields = known.fields();
    for (size_t i = 0; i < incoming.fields().size(); ++i) {
      const Field& field = incoming.fields()[i];
      const bool named = known.kind() == iceberg::TypeKind::kStruct;
      const std::string name = full_name + "." + field.name;
      const auto own = std::find_if(fields.begin(), fields.end(),
                                    [&](const Field& f) { return f.name == field.name; });
      if (named && own == fields.end()) {
        MeetNew(field, fields, name);
      } else if (known.kind() == iceberg::TypeKind::kMap && i == 0) {
        if (Fits(field.type, fields[0].type, meeting_.format_version)) continue;
        faults_.push_back("column '" + name + "' is " + field.type.ToString() +
                          " in the source and " + fields[0].type.ToString() + " in " +
                          meeting_.table + "; the key of a map never changes");
      } else {
        MeetKnown(field, named ? *own : fields[i], name);
      }
    }
    known = iceberg::WithFields(known, std::move(fields));
  }

  /// Columns that the table has and the source has not (any more).
  void NoteGone() {
    std::vector<std::string> gone;
    for (const Field& field : meeting_.current->fields()) {
      if (FindByName(incoming_, field.name) == nullptr) gone.push_back(field.name);
    }
    if (gone.empty()) return;
    plan_.steps.push_back({.kind = Kind::kGone,
                           .column = Join(gone, ", "),
                           .from = "",
                           .to = "",
                           .why = "in the table, but not in the source; NULL or their defaults in "
                                  "the rows of this load"});
  }

  void CheckMissing() {
    for (const Field& field : meeting_.current->fields()) {
      if (!field.required || field.write_default.has_value() ||
          FindByName(incoming_, field.name) != nullptr)
        continue;
      faults_.push_back("column '" + field.name + "' is required in " + meeting_.table +
                        " but the source has none");
    }
  }

  const Type* PromisedType(const std::string& column) const {
    if (meeting_.contract == nullptr) return nullptr;
    for (const audit::ColumnPromise& promise : meeting_.contract->columns) {
      if (promise.name == column && promise.type.has_value()) return &*promise.type;
    }
    return nullptr;
  }

  const SchemaMeeting& meeting_;
  const std::vector<Field>& incoming_;
  DriftPolicy on_new_column_ = DriftPolicy::kEvolve;
  DriftPolicy on_type_change_ = DriftPolicy::kQuarantine;
  std::vector<Field> fields_;
  std::vector<std::string> faults_;
  SchemaPlan plan_;
};

}  // namespace

Result<SchemaPlan> MeetSchemas(const SchemaMeeting& meeting, const std::vector<Field>& incoming) {
  return Meeting(meeting, incoming).Decide();
}

Result<std::shared_ptr<arrow::Schema>> WantedColumns(const std::vector<Field>& fields) {
  CALVE_ASSIGN_OR_RETURN(
      const auto schema,
      iceberg::Schema::Make(iceberg::SchemaId(0),
                            iceberg::AssignFreshIds(fields, iceberg::FieldId(0)).first));
  CALVE_ASSIGN_OR_RETURN(const auto exact, columnar::ToArrowSchema(*schema));
  arrow::FieldVector wanted = exact->fields();
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (fields[i].type.kind() == iceberg::TypeKind::kUuid)
      wanted[i] = wanted[i]->WithType(arrow::extension::uuid());
    if (fields[i].type.kind() == iceberg::TypeKind::kVariant)
      wanted[i] = wanted[i]->WithType(columnar::VariantExtensionType());
  }
  return arrow::schema(std::move(wanted));
}

Result<std::shared_ptr<arrow::Schema>> PromisedSchema(const audit::Contract* contract) {
  std::vector<Field> promised;
  if (contract != nullptr) {
    for (const audit::ColumnPromise& column : contract->columns) {
      if (!column.type.has_value()) continue;
      promised.push_back(Field{.id = iceberg::FieldId(static_cast<int32_t>(promised.size()) + 1),
                               .name = column.name,
                               .type = *column.type});
    }
  }
  if (promised.empty()) return std::shared_ptr<arrow::Schema>();
  return WantedColumns(promised);
}

}  // namespace calve::load
