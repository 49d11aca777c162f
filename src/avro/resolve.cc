#include "avro/resolve.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"

namespace calve::avro {

/// What to do with the writer's values at one place; built once, run for each value.
struct Resolver::Plan {
  enum class Action {
    kScalar,       ///< Read as the writer's kind, turn into the reader's.
    kEnum,         ///< symbols[writer's symbol] is the reader's.
    kFixed,        ///< Fixed and decimals.
    kRecord,       ///< steps has one plan a field of the writer.
    kArray,        ///< children[0] reads an item.
    kMap,          ///< children[0] reads a value.
    kWriterUnion,  ///< children has one plan a branch of the writer.
    kReaderUnion,  ///< children[0] reads a value of the reader's branch `branch`.
    kFail,         ///< A value here cannot be read: `problem` says why.
  };
  /// A field of the writer: read into the reader's field `slot`, or skip when `child` is null.
  struct FieldStep {
    const Node* writer = nullptr;
    const Plan* child = nullptr;
    size_t slot = 0;
  };

  Action action = Action::kFail;
  const Node* writer = nullptr;
  const Node* reader = nullptr;
  int32_t branch = -1;
  std::string problem;
  std::vector<const Plan*> children;
  std::vector<FieldStep> steps;
  std::vector<std::pair<size_t, Value>> defaults;  ///< kRecord: slot and value.
  std::vector<std::string> symbols;                ///< kEnum: "" where the reader has none.

  std::vector<std::unique_ptr<Plan>> owned;  ///< At the root: all plans below.
};

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

}  // namespace

/// Makes plans for pairs of nodes.
class ResolverCompiler {
 public:
  using Plan = Resolver::Plan;
  using Action = Plan::Action;

  ResolverCompiler(MatchFields match, std::vector<std::unique_ptr<Plan>>* owned)
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
      case Kind::kEnum: return CompileEnum(writer, reader);
      case Kind::kFixed:
        if (writer.size_bytes != reader.size_bytes) return Mismatch(writer, reader);
        return New(Action::kFixed, writer, reader);
      case Kind::kRecord: return CompileRecord(writer, reader);
      default: return CompileContainer(writer, reader);
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
      const bool known = std::find(reader.symbols.begin(), reader.symbols.end(), symbol) !=
                         reader.symbols.end();
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

namespace {

Value NumberAs(Kind reader, int64_t value) {
  switch (reader) {
    case Kind::kInt: return static_cast<int32_t>(value);
    case Kind::kFloat: return static_cast<float>(value);
    case Kind::kDouble: return static_cast<double>(value);
    default: return value;
  }
}

Value TextAs(Kind reader, Decoder& decoder) {
  std::string text(decoder.ReadBytes());
  if (reader == Kind::kBytes) return BytesValue{std::move(text)};
  if (!IsValidUtf8(text)) decoder.Fail("a string is not valid UTF-8");
  return text;
}

Value ScalarAs(Kind writer, Kind reader, Decoder& decoder) {
  switch (writer) {
    case Kind::kBoolean: return decoder.ReadBool();
    case Kind::kInt: return NumberAs(reader, decoder.ReadInt());
    case Kind::kLong: return NumberAs(reader, decoder.ReadLong());
    case Kind::kDouble: return decoder.ReadDouble();
    case Kind::kFloat: {
      const float value = decoder.ReadFloat();
      return reader == Kind::kFloat ? Value(value) : Value(static_cast<double>(value));
    }
    case Kind::kBytes:
    case Kind::kString: return TextAs(reader, decoder);
    default: return {};
  }
}

/// Read the bytes of a fixed or a decimal and make them as long as the reader's type has them.
Value FixedAs(const Node& writer, const Node& reader, Decoder& decoder) {
  std::string bytes(writer.kind == Kind::kBytes
                        ? decoder.ReadBytes()
                        : decoder.ReadFixed(static_cast<size_t>(writer.size_bytes)));
  if (reader.kind == Kind::kBytes) return BytesValue{std::move(bytes)};
  const auto size = static_cast<size_t>(reader.size_bytes);
  // Two's complement, big-endian: the sign fills up, and is all that may be cut.
  const char sign = !bytes.empty() && static_cast<int8_t>(bytes[0]) < 0 ? '\xff' : '\0';
  if (bytes.size() < size) bytes.insert(0, size - bytes.size(), sign);
  const size_t cut = bytes.size() - size;
  const bool fits = bytes.find_first_not_of(sign) >= cut &&
                    (cut == 0 || (size != 0 && (bytes[cut] < 0) == (sign < 0)));
  if (!fits) decoder.Fail("a decimal does not fit the reader's fixed size");
  bytes.erase(0, cut);
  return FixedValue{std::move(bytes)};
}

Value Run(const Resolver::Plan& plan, Decoder& decoder);

}  // namespace

}  // namespace calve::avro
