#include <algorithm>
#include <map>
#include <optional>

#include "avro/resolve_plan.h"
#include "base/text.h"

namespace calve::avro {
namespace {

bool IsNumber(Kind kind) {
  return kind == Kind::kInt || kind == Kind::kLong || kind == Kind::kFloat || kind == Kind::kDouble;
}
bool IsText(Kind kind) { return kind == Kind::kBytes || kind == Kind::kString; }

/// Whether one scalar kind is read as another (Avro spec, Schema Resolution).
bool Promotes(Kind writer, Kind reader) {
  if (IsNumber(writer) && IsNumber(reader)) return writer <= reader;
  return writer == reader || (IsText(writer) && IsText(reader));
}

bool IsScalar(Kind kind) { return kind <= Kind::kString; }

/// Whether decimals agree: the scale is kept and no digit is lost. True when one is no decimal.
bool DecimalsAgree(const Node& writer, const Node& reader) {
  if (!writer.decimal || !reader.decimal) return true;
  return writer.decimal->scale == reader.decimal->scale &&
         writer.decimal->precision <= reader.decimal->precision;
}

/// Whether both are decimals in bytes or fixed, so that one's bytes can be made the other's.
bool AreDecimalBytes(const Node& writer, const Node& reader) {
  const auto holds = [](const Node& node) {
    return node.decimal && (node.kind == Kind::kBytes || node.kind == Kind::kFixed);
  };
  return holds(writer) && holds(reader);
}

std::string Describe(const Node& node) {
  std::string text(ToString(node.kind));
  if (node.is_named()) text += " " + Quote(node.full_name());
  if (node.decimal) {
    text += " decimal(" + std::to_string(node.decimal->precision) + "," +
            std::to_string(node.decimal->scale) + ")";
  }
  return text;
}

bool NamesAgree(const Node& writer, const Node& reader) {
  if (writer.name == reader.name) return true;
  return std::any_of(reader.aliases.begin(), reader.aliases.end(), [&](const std::string& alias) {
    return alias == writer.full_name() || alias == writer.name;
  });
}

using Plan = ResolvePlan;
using Action = ResolvePlan::Action;

/// Makes plans for pairs of nodes.
class Compiler {
 public:
  Compiler(MatchFields match, std::vector<std::unique_ptr<Plan>>* owned)
      : match_(match), owned_(owned) {}

  Result<const Plan*> Compile(const Node& writer, const Node& reader) {
    if (++depth_ > kDepthMax) return DataError("expected schemas of fewer levels");
    Result<const Plan*> plan = CompileAny(writer, reader);
    --depth_;
    return plan;
  }

 private:
  static constexpr int kDepthMax = 512;

  Plan* New(Action action, const Node& writer, const Node& reader) {
    owned_->push_back(std::make_unique<Plan>());
    Plan* plan = owned_->back().get();
    plan->action = action;
    plan->writer = &writer;
    plan->reader = &reader;
    return plan;
  }

  static Error Mismatch(const Node& writer, const Node& reader) {
    return DataError("expected " + Describe(reader) + " or what can be read as it, found " +
                     Describe(writer) + " in the writer's schema");
  }

  Result<const Plan*> CompileAny(const Node& writer, const Node& reader) {
    if (writer.kind == Kind::kUnion) return CompileWriterUnion(writer, reader);
    if (reader.kind == Kind::kUnion) return CompileReaderUnion(writer, reader);
    if (!DecimalsAgree(writer, reader)) return Mismatch(writer, reader);
    if (AreDecimalBytes(writer, reader)) return New(Action::kFixed, writer, reader);
    if (IsScalar(writer.kind) && IsScalar(reader.kind)) {
      if (!Promotes(writer.kind, reader.kind)) return Mismatch(writer, reader);
      return New(Action::kScalar, writer, reader);
    }
    if (writer.kind != reader.kind) return Mismatch(writer, reader);
    if (match_ == MatchFields::kByName && writer.is_named() && !NamesAgree(writer, reader)) {
      return Mismatch(writer, reader);
    }
    switch (writer.kind) {
      case Kind::kEnum:
        return CompileEnum(writer, reader);
      case Kind::kFixed:
        if (writer.size_bytes != reader.size_bytes) return Mismatch(writer, reader);
        return New(Action::kFixed, writer, reader);
      case Kind::kRecord:
        return CompileRecord(writer, reader);
      default:
        return CompileContainer(writer, reader);
    }
  }

  /// A branch that cannot be read is an error only where it is met, unless none can be read.
  Result<const Plan*> CompileWriterUnion(const Node& writer, const Node& reader) {
    Plan* plan = New(Action::kWriterUnion, writer, reader);
    std::optional<Error> first_error;
    bool any = false;
    for (const Node* branch : writer.branches) {
      Result<const Plan*> child = Compile(*branch, reader);
      any |= child.ok();
      if (child.ok()) {
        plan->children.push_back(*child);
        continue;
      }
      Plan* failing = New(Action::kFail, *branch, reader);
      failing->problem = child.error().message;
      plan->children.push_back(failing);
      if (!first_error) first_error = std::move(child).error();
    }
    if (!any && first_error) return *first_error;
    return plan;
  }

  /// Take the reader's first branch of the same kind, or else the first that the value promotes to.
  Result<const Plan*> CompileReaderUnion(const Node& writer, const Node& reader) {
    for (bool same_kind : {true, false}) {
      for (size_t i = 0; i < reader.branches.size(); ++i) {
        if ((reader.branches[i]->kind == writer.kind) != same_kind) continue;
        const Result<const Plan*> child = Compile(writer, *reader.branches[i]);
        if (!child.ok()) continue;
        Plan* plan = New(Action::kReaderUnion, writer, reader);
        plan->branch = static_cast<int32_t>(i);
        plan->children.push_back(*child);
        return plan;
      }
    }
    return Mismatch(writer, reader);
  }

  Result<const Plan*> CompileContainer(const Node& writer, const Node& reader) {
    Plan* plan = New(writer.kind == Kind::kArray ? Action::kArray : Action::kMap, writer, reader);
    CALVE_ASSIGN_OR_RETURN(const Plan* child, Compile(*writer.element, *reader.element));
    plan->children.push_back(child);
    return plan;
  }

  Result<const Plan*> CompileEnum(const Node& writer, const Node& reader) {
    Plan* plan = New(Action::kEnum, writer, reader);
    for (const std::string& symbol : writer.symbols) {
      const bool known =
          std::find(reader.symbols.begin(), reader.symbols.end(), symbol) != reader.symbols.end();
      plan->symbols.push_back(known ? symbol : reader.enum_default.value_or(""));
    }
    return plan;
  }

  /// Records may contain themselves: a pair's plan is known before its fields are compiled, and a
  /// pair that fails then fails wherever it was used.
  Result<const Plan*> CompileRecord(const Node& writer, const Node& reader) {
    const auto [entry, fresh] = records_.try_emplace({&writer, &reader}, nullptr);
    if (!fresh) {
      if (entry->second->action == Action::kFail) return DataError(entry->second->problem);
      return entry->second;
    }
    Plan* plan = entry->second = New(Action::kRecord, writer, reader);
    Status filled = FillRecord(plan);
    if (!filled.ok()) {
      plan->action = Action::kFail;
      plan->problem = filled.error().message;
      return std::move(filled).error();
    }
    return plan;
  }

  Status FillRecord(Plan* plan) {
    const std::vector<Field>& reader_fields = plan->reader->fields;
    std::vector<const Field*> sources(reader_fields.size());
    for (size_t i = 0; i < reader_fields.size(); ++i) {
      sources[i] = FindSource(*plan->writer, reader_fields[i]);
      const auto taken = sources.begin() + static_cast<ptrdiff_t>(i);
      if (sources[i] != nullptr && std::find(sources.begin(), taken, sources[i]) != taken) {
        return InField(reader_fields[i], *plan,
                       DataError("expected a field of the writer for itself, found " +
                                 Quote(sources[i]->name) + ", which another field reads"));
      }
    }
    for (const Field& field : plan->writer->fields) {
      Plan::FieldStep step{.writer = field.type};
      const auto source = std::find(sources.begin(), sources.end(), &field);
      if (source != sources.end()) {
        step.slot = static_cast<size_t>(source - sources.begin());
        Result<const Plan*> child = Compile(*field.type, *reader_fields[step.slot].type);
        if (!child.ok()) return InField(reader_fields[step.slot], *plan, std::move(child).error());
        step.child = *child;
      }
      plan->steps.push_back(step);
    }
    for (size_t i = 0; i < reader_fields.size(); ++i) {
      if (sources[i] != nullptr) continue;
      Result<Value> value = DefaultOf(reader_fields[i]);
      if (!value.ok()) return InField(reader_fields[i], *plan, std::move(value).error());
      plan->defaults.emplace_back(i, std::move(*value));
    }
    return Status::Ok();
  }

  static Error InField(const Field& field, const Plan& plan, Error error) {
    return While("field " + Quote(field.name) + " of " + Quote(plan.reader->full_name()),
                 std::move(error));
  }

  const Field* FindSource(const Node& writer, const Field& field) const {
    if (match_ == MatchFields::kByFieldId) {
      const std::optional<int32_t> id = field.field_id();
      return id ? writer.FindFieldById(*id) : nullptr;
    }
    const Field* found = writer.FindField(field.name);
    for (const std::string& alias : field.aliases) {
      if (found == nullptr) found = writer.FindField(alias);
    }
    return found;
  }

  Result<Value> DefaultOf(const Field& field) const {
    if (field.default_json) return ValueFromJson(*field.type, *field.default_json);
    if (match_ == MatchFields::kByFieldId && field.type->kind == Kind::kUnion) {
      Result<Value> null = ValueFromJson(*field.type, "null");
      if (null.ok()) return null;
    }
    return DataError("expected a default, since the writer's schema does not have the field");
  }

  MatchFields match_;
  std::vector<std::unique_ptr<Plan>>* owned_;
  std::map<std::pair<const Node*, const Node*>, Plan*> records_;
  int depth_ = 0;
};

}  // namespace

Result<const ResolvePlan*> CompilePlan(const Node& writer, const Node& reader, MatchFields match,
                                       std::vector<std::unique_ptr<ResolvePlan>>* plans) {
  return Compiler(match, plans).Compile(writer, reader);
}

}  // namespace calve::avro
