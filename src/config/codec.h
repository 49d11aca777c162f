#pragma once

/// How each type of member is read, written and described. Included by option.h; nobody else
/// includes it.

#include "config/option.h"

namespace calve::config {

/// Read a scalar for an option; false after adding a fault. `out` is set only on true.
bool ReadBool(const Node& node, const Asked& asked, const Reading& reading, bool& out);
/// Read a whole number from `lowest` to `highest`, within the option's own range.
bool ReadInteger(const Node& node, const Asked& asked, const Reading& reading, int64_t lowest,
                 int64_t highest, int64_t& out);
bool ReadNumber(const Node& node, const Asked& asked, const Reading& reading, double& out);
bool ReadText(const Node& node, const Asked& asked, const Reading& reading, std::string& out);
bool ReadCharacter(const Node& node, const Asked& asked, const Reading& reading, char& out);
/// Read a duration that is a whole number of `unit_us` microseconds.
bool ReadDuration(const Node& node, const Asked& asked, const Reading& reading, int64_t unit_us,
                  int64_t& out);
bool ReadBytes(const Node& node, const Asked& asked, const Reading& reading, int64_t& out);
bool ReadFraction(const Node& node, const Asked& asked, const Reading& reading, double& out);
/// Read one of `names`; `out` is its index.
bool ReadName(const Node& node, const Asked& asked, const Reading& reading,
              const std::vector<std::string>& names, size_t& out);
bool ReadPart(const Node& node, const Asked& asked, const Reading& reading, PartOptions& out);
/// Add a fault and return false when a node is no list, or no mapping, of `item`.
bool ExpectList(const Node& node, const Asked& asked, const Reading& reading,
                const TypeDescription& item);
bool ExpectMap(const Node& node, const Asked& asked, const Reading& reading,
               const TypeDescription& item);

/// Print as one writes them: 90s, 1h30m; 64MB, 1GiB; 0.5.
std::string WriteDuration(int64_t microseconds);
std::string WriteBytes(int64_t bytes);
std::string WriteNumber(double number);

/// Describe a form with the range that the notes give it.
TypeDescription DescribeForm(TypeDescription::Form form, const OptionNotes& notes);

template <>
struct Codec<bool> {
  static TypeDescription Describe(const OptionNotes& n) {
    return DescribeForm(TypeDescription::Form::kBool, n);
  }
  static bool Read(const Node& node, const Asked& asked, const Reading& reading, bool& out) {
    return ReadBool(node, asked, reading, out);
  }
  static Node Write(bool value) { return Node::Scalar(value ? "true" : "false"); }
};

template <std::integral I>
  requires(sizeof(I) >= 2)
struct Codec<I> {
  static TypeDescription Describe(const OptionNotes& n) {
    return DescribeForm(TypeDescription::Form::kInteger, n);
  }
  static bool Read(const Node& node, const Asked& asked, const Reading& reading, I& out) {
    constexpr int64_t kHighest =
        std::cmp_less(std::numeric_limits<I>::max(), std::numeric_limits<int64_t>::max())
            ? static_cast<int64_t>(std::numeric_limits<I>::max())
            : std::numeric_limits<int64_t>::max();
    int64_t value = 0;
    if (!ReadInteger(node, asked, reading, static_cast<int64_t>(std::numeric_limits<I>::min()),
                     kHighest, value)) {
      return false;
    }
    out = static_cast<I>(value);
    return true;
  }
  static Node Write(I value) { return Node::Scalar(std::to_string(value)); }
};

template <>
struct Codec<double> {
  static TypeDescription Describe(const OptionNotes& n) {
    return DescribeForm(TypeDescription::Form::kNumber, n);
  }
  static bool Read(const Node& node, const Asked& asked, const Reading& reading, double& out) {
    return ReadNumber(node, asked, reading, out);
  }
  static Node Write(double value) { return Node::Scalar(WriteNumber(value)); }
};

template <>
struct Codec<std::string> {
  static TypeDescription Describe(const OptionNotes& n) {
    return DescribeForm(TypeDescription::Form::kText, n);
  }
  static bool Read(const Node& node, const Asked& asked, const Reading& reading, std::string& out) {
    return ReadText(node, asked, reading, out);
  }
  static Node Write(const std::string& value) { return Node::Scalar(value, /*quoted=*/true); }
};

template <>
struct Codec<char> {
  static TypeDescription Describe(const OptionNotes& n) {
    return DescribeForm(TypeDescription::Form::kCharacter, n);
  }
  static bool Read(const Node& node, const Asked& asked, const Reading& reading, char& out) {
    return ReadCharacter(node, asked, reading, out);
  }
  static Node Write(char value) { return Node::Scalar(std::string(1, value), /*quoted=*/true); }
};

template <typename P>
struct Codec<std::chrono::duration<int64_t, P>> {
  using D = std::chrono::duration<int64_t, P>;
  static constexpr int64_t kUnit =
      std::chrono::duration_cast<std::chrono::microseconds>(D(1)).count();
  static_assert(kUnit >= 1, "durations below a microsecond are not options");
  static TypeDescription Describe(const OptionNotes& n) {
    return DescribeForm(TypeDescription::Form::kDuration, n);
  }
  static bool Read(const Node& node, const Asked& asked, const Reading& reading, D& out) {
    int64_t microseconds = 0;
    if (!ReadDuration(node, asked, reading, kUnit, microseconds)) return false;
    out = D(microseconds / kUnit);
    return true;
  }
  static Node Write(D value) { return Node::Scalar(WriteDuration(value.count() * kUnit)); }
};

template <>
struct Codec<ByteCount> {
  static TypeDescription Describe(const OptionNotes& n) {
    return DescribeForm(TypeDescription::Form::kBytes, n);
  }
  static bool Read(const Node& node, const Asked& asked, const Reading& reading, ByteCount& out) {
    int64_t bytes = 0;
    if (!ReadBytes(node, asked, reading, bytes)) return false;
    out = ByteCount(bytes);
    return true;
  }
  static Node Write(ByteCount value) { return Node::Scalar(WriteBytes(value.value())); }
};

template <>
struct Codec<RowCount> {
  static TypeDescription Describe(const OptionNotes& n) { return Codec<int64_t>::Describe(n); }
  static bool Read(const Node& node, const Asked& asked, const Reading& reading, RowCount& out) {
    int64_t rows = 0;
    if (!ReadInteger(node, asked, reading, 0, std::numeric_limits<int64_t>::max(), rows))
      return false;
    out = RowCount(rows);
    return true;
  }
  static Node Write(RowCount value) { return Codec<int64_t>::Write(value.value()); }
};

template <>
struct Codec<Fraction> {
  static TypeDescription Describe(const OptionNotes& n) {
    return DescribeForm(TypeDescription::Form::kFraction, n);
  }
  static bool Read(const Node& node, const Asked& asked, const Reading& reading, Fraction& out) {
    return ReadFraction(node, asked, reading, out.value);
  }
  static Node Write(Fraction value) { return Node::Scalar(WriteNumber(value.value)); }
};

template <typename E>
  requires std::is_enum_v<E>
struct Codec<E> {
  static TypeDescription Describe(const OptionNotes& n) {
    TypeDescription type = DescribeForm(TypeDescription::Form::kName, n);
    for (const EnumName<E>& name : NamesOf(E{})) {
      type.names.push_back({std::string(name.name), std::string(name.meaning)});
    }
    return type;
  }
  static bool Read(const Node& node, const Asked& asked, const Reading& reading, E& out) {
    const Names<E> all = NamesOf(E{});
    std::vector<std::string> names;
    for (const EnumName<E>& name : all) names.emplace_back(name.name);
    size_t index = 0;
    if (!ReadName(node, asked, reading, names, index)) return false;
    out = all[index].value;
    return true;
  }
  static Node Write(E value) {
    for (const EnumName<E>& name : NamesOf(E{})) {
      if (name.value == value) return Node::Scalar(std::string(name.name));
    }
    return {};
  }
};

template <>
struct Codec<Node> {
  static TypeDescription Describe(const OptionNotes& n) {
    return DescribeForm(TypeDescription::Form::kAny, n);
  }
  static bool Read(const Node& node, const Asked&, const Reading&, Node& out) {
    out = node;
    return true;
  }
  static Node Write(const Node& value) { return value; }
};

template <>
struct Codec<PartOptions> {
  static TypeDescription Describe(const OptionNotes& n) {
    TypeDescription type = DescribeForm(TypeDescription::Form::kPart, n);
    type.parts = n.parts;
    return type;
  }
  static bool Read(const Node& node, const Asked& asked, const Reading& reading, PartOptions& out) {
    return ReadPart(node, asked, reading, out);
  }
  static Node Write(const PartOptions& value) {
    if (value.type.empty()) return {};
    Node node = Node::Mapping();
    node.Set("type", Node::Scalar(value.type));
    for (const Node::Entry& entry : value.node.entries()) node.Set(entry.key, entry.value);
    return node;
  }
};

template <Declared M>
struct Codec<M> {
  static const Shape<M>& TheShape() {
    static const Shape<M> shape = M::Declaration();
    return shape;
  }
  static TypeDescription Describe(const OptionNotes& n) {
    TypeDescription type = DescribeForm(TypeDescription::Form::kShape, n);
    type.shape = [] { return TheShape().Describe(); };
    return type;
  }
  static bool Read(const Node& node, const Asked&, const Reading& reading, M& out) {
    const size_t before = reading.faults.size();
    TheShape().ReadOver(node, reading, out);
    return reading.faults.size() == before;
  }
  static Node Write(const M& value) { return TheShape().Write(value); }
};

template <typename M>
struct Codec<std::optional<M>> {
  static TypeDescription Describe(const OptionNotes& n) { return Codec<M>::Describe(n); }
  static bool Read(const Node& node, const Asked& asked, const Reading& reading,
                   std::optional<M>& out) {
    if (node.is_null()) {
      out.reset();
      return true;
    }
    M value{};
    if (!Codec<M>::Read(node, asked, reading, value)) return false;
    out = std::move(value);
    return true;
  }
  static Node Write(const std::optional<M>& value) {
    return value.has_value() ? Codec<M>::Write(*value) : Node();
  }
};

template <typename M>
struct Codec<std::vector<M>> {
  static TypeDescription Describe(const OptionNotes& n) {
    TypeDescription type = DescribeForm(TypeDescription::Form::kList, {});
    type.item = std::make_shared<const TypeDescription>(Codec<M>::Describe(n));
    return type;
  }
  static bool Read(const Node& node, const Asked& asked, const Reading& reading,
                   std::vector<M>& out) {
    if (!ExpectList(node, asked, reading, Codec<M>::Describe(asked.notes))) return false;
    out.clear();
    bool good = true;
    for (const Node& item : node.items()) {
      M value{};
      good = Codec<M>::Read(item, asked.Item(), reading, value) && good;
      out.push_back(std::move(value));
    }
    return good;
  }
  static Node Write(const std::vector<M>& values) {
    Node node = Node::Sequence();
    for (const M& value : values) node.items().push_back(Codec<M>::Write(value));
    return node;
  }
};

/// What std::map and an ordered list of pairs have in common: a mapping whose keys the person
/// chooses.
template <typename M, typename Values>
struct MapCodec {
  static TypeDescription Describe(const OptionNotes& n) {
    TypeDescription type = DescribeForm(TypeDescription::Form::kMap, {});
    type.item = std::make_shared<const TypeDescription>(Codec<M>::Describe(n));
    return type;
  }
  static bool Read(const Node& node, const Asked& asked, const Reading& reading, Values& out) {
    if (!ExpectMap(node, asked, reading, Codec<M>::Describe(asked.notes))) return false;
    out.clear();
    bool good = true;
    for (const Node::Entry& entry : node.entries()) {
      M value{};
      good = Codec<M>::Read(entry.value, asked.At(entry.key), reading, value) && good;
      out.insert(out.end(), {entry.key, std::move(value)});
    }
    return good;
  }
  static Node Write(const Values& values) {
    Node node = Node::Mapping();
    for (const auto& [key, value] : values)
      node.entries().push_back({key, {}, Codec<M>::Write(value)});
    return node;
  }
};

template <typename M>
struct Codec<std::map<std::string, M>> : MapCodec<M, std::map<std::string, M>> {};
template <typename M>
struct Codec<std::vector<std::pair<std::string, M>>>
    : MapCodec<M, std::vector<std::pair<std::string, M>>> {};

template <typename T>
template <typename M, typename Owner>
Shape<T>& Shape<T>::Add(std::string key, M Owner::* member, std::string meaning, OptionNotes notes,
                        bool required) {
  Field field;
  field.key = std::move(key);
  field.meaning = std::move(meaning);
  field.required = required;
  field.reads_absent = Declared<M>;
  field.notes = std::move(notes);
  field.describe = [](const OptionNotes& n) { return Codec<M>::Describe(n); };
  field.default_value = [member]() -> std::optional<Node> {
    if constexpr (Declared<M> || std::same_as<M, PartOptions>) return std::nullopt;
    const T defaults{};
    Node node = Codec<M>::Write(defaults.*member);
    return node.is_null() ? std::nullopt : std::optional(std::move(node));
  };
  field.read = [member](const Node& node, const Asked& asked, const Reading& reading,
                        void* target) {
    return Codec<M>::Read(node, asked, reading, static_cast<T*>(target)->*member);
  };
  field.write = [member](const void* source) -> std::optional<Node> {
    Node node = Codec<M>::Write(static_cast<const T*>(source)->*member);
    const T defaults{};
    return node.SameAs(Codec<M>::Write(defaults.*member)) ? std::nullopt
                                                          : std::optional(std::move(node));
  };
  AddField(std::move(field));
  return *this;
}

template <typename T>
template <typename Inner, typename Access>
Shape<T>& Shape<T>::TakeOver(const Shape<Inner>& inner, Access access) {
  for (Field field : inner.fields_) {
    field.read = [access, read = field.read](const Node& node, const Asked& asked,
                                             const Reading& reading, void* self) {
      return read(node, asked, reading, access(static_cast<T*>(self)));
    };
    field.write = [access, write = field.write](const void* self) {
      return write(access(const_cast<T*>(static_cast<const T*>(self))));
    };
    AddField(std::move(field));
  }
  for (Rule rule : inner.rules_) {
    rule.check = [access, check = rule.check](const void* self, const Node& node,
                                              const Reading& reading) {
      check(access(const_cast<T*>(static_cast<const T*>(self))), node, reading);
    };
    rules_.push_back(std::move(rule));
  }
  exactly_one_of_.insert(exactly_one_of_.end(), inner.exactly_one_of_.begin(),
                         inner.exactly_one_of_.end());
  at_most_one_of_.insert(at_most_one_of_.end(), inner.at_most_one_of_.begin(),
                         inner.at_most_one_of_.end());
  return *this;
}

}  // namespace calve::config
