#include "avro/resolve.h"

#include "avro/resolve_plan.h"
#include "base/text.h"

namespace calve::avro {
namespace {

Value NumberAs(Kind reader, int64_t value) {
  switch (reader) {
    case Kind::kInt:
      return static_cast<int32_t>(value);
    case Kind::kFloat:
      return static_cast<float>(value);
    case Kind::kDouble:
      return static_cast<double>(value);
    default:
      return value;
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
    case Kind::kBoolean:
      return decoder.ReadBool();
    case Kind::kInt:
      return NumberAs(reader, decoder.ReadInt());
    case Kind::kLong:
      return NumberAs(reader, decoder.ReadLong());
    case Kind::kDouble:
      return decoder.ReadDouble();
    case Kind::kFloat: {
      const float value = decoder.ReadFloat();
      return reader == Kind::kFloat ? Value(value) : Value(static_cast<double>(value));
    }
    case Kind::kBytes:
    case Kind::kString:
      return TextAs(reader, decoder);
    default:
      return {};
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

Value Run(const ResolvePlan& plan, Decoder& decoder);

Value RunRecord(const ResolvePlan& plan, Decoder& decoder) {
  RecordValue record;
  record.fields.resize(plan.reader->fields.size());
  for (const ResolvePlan::FieldStep& step : plan.steps) {
    if (!decoder.ok()) break;
    if (step.child == nullptr) {
      Skip(*step.writer, decoder);
    } else {
      record.fields[step.slot] = Run(*step.child, decoder);
    }
  }
  for (const auto& [slot, value] : plan.defaults) record.fields[slot] = value;
  return record;
}

Value RunArray(const ResolvePlan& plan, Decoder& decoder) {
  ArrayValue array;
  decoder.ForEachItem(plan.writer->element->bytes_min,
                      [&] { array.items.push_back(Run(*plan.children[0], decoder)); });
  return array;
}

Value RunMap(const ResolvePlan& plan, Decoder& decoder) {
  MapValue map;
  decoder.ForEachItem(plan.writer->element->bytes_min + 1, [&] {
    std::string key(decoder.ReadString());
    if (!IsValidUtf8(key)) decoder.Fail("a map's key is not valid UTF-8");
    map.entries.emplace_back(std::move(key), Run(*plan.children[0], decoder));
  });
  return map;
}

Value RunEnum(const ResolvePlan& plan, Decoder& decoder) {
  const std::string& symbol = plan.symbols[decoder.ReadIndex(plan.symbols.size())];
  if (symbol.empty()) decoder.Fail("the reader's enum lacks the symbol and has no default");
  return SymbolValue{symbol};
}

Value RunNested(const ResolvePlan& plan, Decoder& decoder) {
  using Action = ResolvePlan::Action;
  const bool charged = plan.action == Action::kRecord && plan.writer->bytes_min == 0;
  if (charged && !decoder.ChargeZeroBytes(1)) return {};
  if (!decoder.Enter()) return {};
  Value value;
  switch (plan.action) {
    case Action::kRecord:
      value = RunRecord(plan, decoder);
      break;
    case Action::kArray:
      value = RunArray(plan, decoder);
      break;
    case Action::kMap:
      value = RunMap(plan, decoder);
      break;
    case Action::kReaderUnion:
      value = Run(*plan.children[0], decoder);
      value.branch = plan.branch;
      break;
    default:
      value = Run(*plan.children[decoder.ReadIndex(plan.children.size())], decoder);
      break;
  }
  decoder.Leave();
  return value;
}

Value Run(const ResolvePlan& plan, Decoder& decoder) {
  using Action = ResolvePlan::Action;
  switch (plan.action) {
    case Action::kScalar:
      return ScalarAs(plan.writer->kind, plan.reader->kind, decoder);
    case Action::kFixed:
      return FixedAs(*plan.writer, *plan.reader, decoder);
    case Action::kEnum:
      return RunEnum(plan, decoder);
    case Action::kFail:
      decoder.Fail(plan.problem.c_str());
      return {};
    default:
      return RunNested(plan, decoder);
  }
}

}  // namespace

Resolver::Resolver(Plans plans, const ResolvePlan* root) : plans_(std::move(plans)), root_(root) {}
Resolver::Resolver(Resolver&&) noexcept = default;
Resolver& Resolver::operator=(Resolver&&) noexcept = default;
Resolver::~Resolver() = default;

Result<Resolver> Resolver::Compile(const Node& writer, const Node& reader, MatchFields match) {
  Plans plans;
  CALVE_ASSIGN_OR_RETURN(const ResolvePlan* root, CompilePlan(writer, reader, match, &plans));
  return Resolver(std::move(plans), root);
}

Result<Value> Resolver::Read(Decoder& decoder) const {
  Value value = Run(*root_, decoder);
  CALVE_RETURN_IF_ERROR(decoder.status());
  return value;
}

}  // namespace calve::avro
