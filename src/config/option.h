#pragma once

/// One declaration per option. A part says once what it can be told, as a struct and a declaration
/// beside it:
///
///     struct CsvOptions {
///       std::string source_path;
///       char delimiter = ',';
///       std::vector<std::string> null_values = {""};
///       std::optional<ByteCount> split_bytes;
///       WriteMode mode = WriteMode::kAppend;       // an enum: see Names below
///       AuthOptions auth;                          // a struct that has a Declaration() itself
///
///       static config::Shape<CsvOptions> Declaration() {
///         config::Shape<CsvOptions> shape("csv source", "Read delimited text files.");
///         shape.Required("source_path", &CsvOptions::source_path, "Where the files are.",
///                        {.example = "s3://incoming/reports/", .aliases = {"path"}});
///         shape.Optional("delimiter", &CsvOptions::delimiter, "What stands between two values.");
///         shape.Optional("null_values", &CsvOptions::null_values, "Texts that mean NULL.");
///         shape.Optional("split_bytes", &CsvOptions::split_bytes,
///                        "Read large files in pieces of this size.", {.min = ByteCount(1'000'000)});
///         shape.Optional("mode", &CsvOptions::mode, "What happens to rows that are there.");
///         shape.Optional("auth", &CsvOptions::auth, "How to sign in.");
///         shape.Check("delimiter", [](const CsvOptions& o) -> Status {
///           if (o.delimiter == '\n') return ConfigError("expected a character such as , or ;");
///           return Status::Ok();
///         });
///         return shape;
///       }
///     };
///
/// From it come parsing and validation with every fault at its place (Read, Parse), the way back
/// (Write), JSON Schema and the reference page (document.h, through Describe). The default of an
/// optional key is what `CsvOptions{}` holds.
///
/// What a member may be: bool, integers, double, std::string, char, an enum with NamesOf, any
/// std::chrono duration (10s, 5m, 1h30m, 2d), ByteCount (64MB, 1GiB), RowCount, Fraction (0.5 or
/// 50%), a struct with Declaration(), Node (kept as it is), PartOptions (see Parts); and
/// std::optional, std::vector, std::map<std::string, ...> and, where the file's order counts,
/// std::vector<std::pair<std::string, ...>> of these.

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/strong.h"
#include "config/description.h"
#include "config/environment.h"
#include "config/fault.h"
#include "config/yaml.h"

namespace calve::config {

/// A share, such as 0.5, written 0.5 or 50%.
struct Fraction {
  double value = 0;
  bool operator==(const Fraction&) const = default;
};

/// One name of an enum's value. An enum becomes an option's type by a function beside it, found by
/// its argument:
///
///     enum class WriteMode { kAppend, kMerge };
///     inline config::Names<WriteMode> NamesOf(WriteMode) {
///       return {{"append", WriteMode::kAppend, "Add rows."},
///               {"merge", WriteMode::kMerge, "Replace rows by key."}};
///     }
///
/// Several names of one value are all read; the first is the one that is written.
template <typename E>
struct EnumName {
  std::string_view name;
  E value;
  std::string_view meaning = {};
};
template <typename E>
using Names = std::vector<EnumName<E>>;

/// Where a range of allowed values ends: a number, a duration, or a size.
class Bound {
 public:
  template <typename N>
    requires std::is_arithmetic_v<N>
  Bound(N number) : value_(static_cast<double>(number)) {}  // NOLINT(google-explicit-constructor)
  template <typename Rep, typename Period>
  Bound(std::chrono::duration<Rep, Period> d)  // NOLINT(google-explicit-constructor)
      : value_(std::chrono::duration<double, std::micro>(d).count()) {}
  Bound(ByteCount bytes)
      : value_(static_cast<double>(bytes.value())) {}   // NOLINT(google-explicit-constructor)
  Bound(Fraction fraction) : value_(fraction.value) {}  // NOLINT(google-explicit-constructor)

  /// In units, microseconds or bytes.
  double value() const { return value_; }

 private:
  double value_;
};

/// What else there is to say about an option. For a list or a map it is about each of its values.
struct OptionNotes {
  std::string example = {};               ///< As one writes it in YAML.
  std::vector<std::string> aliases = {};  ///< Older keys: read, with a warning.
  bool secret = false;                    ///< The value never comes into a message or a page.
  std::optional<Bound> min = {};
  std::optional<Bound> max = {};
  std::string default_text = {};  ///< The default in words, when it depends on something.
  std::string environment =
      {};  ///< A variable whose value, if not empty, is taken when the key is not given.
  std::shared_ptr<const Parts> parts = {};  ///< For PartOptions: what `type` can name.
};

/// What one reading of a configuration has at hand.
struct Reading {
  Faults& faults;
  const Environment* environment =
      nullptr;  ///< For OptionNotes::environment; null: no variable is looked at.
};

/// The option that a value is read for, as messages name it.
struct Asked {
  std::string key;
  const OptionNotes& notes;

  /// The same for one value of a list.
  Asked Item() const { return {"item of " + key, notes}; }
  /// The same for one value of a map.
  Asked At(const std::string& name) const { return {key + "." + name, notes}; }
};

class AnyShape;

/// One thing that a key `type` can name, with the keys that it takes beside `type`.
struct Part {
  std::string name;
  std::shared_ptr<const AnyShape> shape;
};

/// A family of parts that people name in two steps: `type: file` with `format: csv` means `type:
/// csv`.
struct PartFamily {
  std::string name;
  std::string key;
};

/// What a mapping with a `type` can be. A room's registry makes one from what is registered in it.
struct Parts {
  std::string noun;  ///< "source"
  std::vector<Part> parts;
  std::string default_name = {};  ///< Taken when `type` is not given; empty: `type` is required.
  std::vector<PartFamily> families = {};
  std::string key = "type";
  std::vector<std::string> key_aliases = {};

  const Part* Find(std::string_view name) const;
};

/// A checked mapping with a `type`: which part, and its keys without `type`, ready for that part's
/// own shape to Parse.
struct PartOptions {
  std::string type;
  Node node = Node::Mapping();
};

/// A shape whose struct is not known here: what registries and documents work with. Threads: any,
/// once declared.
class AnyShape {
 public:
  virtual ~AnyShape() = default;

  const std::string& noun() const { return noun_; }
  ShapeDescription Describe() const;
  /// Find all faults of a mapping.
  virtual void Validate(const Node& node, const Reading& reading) const = 0;
  /// Write into a mapping what the environment gives for keys that it does not give itself.
  void Complete(Node& node, const Environment& environment) const;

 protected:
  AnyShape(std::string noun, std::string meaning)
      : noun_(std::move(noun)), meaning_(std::move(meaning)) {}
  AnyShape(const AnyShape&) = default;
  AnyShape(AnyShape&&) = default;
  AnyShape& operator=(const AnyShape&) = default;
  AnyShape& operator=(AnyShape&&) = default;

  struct Field {
    std::string key;
    std::string meaning;
    bool required = false;
    bool reads_absent =
        false;  ///< A nested shape, some of whose options come from the environment.
    OptionNotes notes;
    std::function<TypeDescription(const OptionNotes&)> describe;
    std::function<std::optional<Node>()> default_value;
    std::function<bool(const Node&, const Asked&, const Reading&, void*)> read;
    std::function<std::optional<Node>(const void*)> write;
  };
  /// Asked after reading: of one key (runs when that key was read well), or of the whole (runs when
  /// all was).
  struct Rule {
    std::string key;
    std::function<void(const void*, const Node&, const Reading&)> check;
  };

  void ReadInto(const Node& node, const Reading& reading, void* target) const;
  Node WriteFrom(const void* source) const;
  void AddField(Field field);

  std::string noun_;
  std::string meaning_;
  std::vector<Field> fields_;
  std::vector<Rule> rules_;
  std::vector<std::vector<std::string>> exactly_one_of_;
  std::vector<std::vector<std::string>> at_most_one_of_;

 private:
  struct Given;
  const Field* FindField(std::string_view key, bool& is_alias) const;
  Given MatchKeys(const Node& node, const Reading& reading) const;
  void AddUnknownKey(const Node::Entry& entry, const Reading& reading, Given& given) const;
  bool ReadField(const Field& field, const Node& node, const Given& given, const Reading& reading,
                 void* target) const;
  bool ReadAbsent(const Field& field, const Node& node, const Given& given, const Reading& reading,
                  void* target) const;
  void CheckGroups(const Node& node, const Given& given, const Reading& reading) const;
};

template <typename M>
struct Codec;

/// The options of one thing, declared. See the top of this file.
template <typename T>
class Shape : public AnyShape {
 public:
  /// Name the thing as messages do ("csv source"), and say in a sentence what it is.
  explicit Shape(std::string noun, std::string meaning = {})
      : AnyShape(std::move(noun), std::move(meaning)) {}

  /// Declare a key that must be given.
  template <typename M, typename Owner>
    requires std::derived_from<T, Owner>
  Shape& Required(std::string key, M Owner::* member, std::string meaning, OptionNotes notes = {}) {
    return Add(std::move(key), member, std::move(meaning), std::move(notes), true);
  }

  /// Declare a key that may be left out; the member then keeps the value that it has in T{}.
  template <typename M, typename Owner>
    requires std::derived_from<T, Owner>
  Shape& Optional(std::string key, M Owner::* member, std::string meaning, OptionNotes notes = {}) {
    return Add(std::move(key), member, std::move(meaning), std::move(notes), false);
  }

  /// Take over all options and checks of a struct that T derives from.
  template <typename Base>
    requires std::derived_from<T, Base>
  Shape& Include(const Shape<Base>& base) {
    return TakeOver(base, [](T* self) -> Base* { return self; });
  }

  /// Take over all options and checks of a struct that T holds, as keys of T's own mapping.
  template <typename Inner>
  Shape& Include(Inner T::* member, const Shape<Inner>& inner) {
    return TakeOver(inner, [member](T* self) -> Inner* { return &(self->*member); });
  }

  /// Check one option once it was read well, alone or with others; the error's sentence is a fault
  /// at its value.
  Shape& Check(std::string key, std::function<Status(const T&)> check) {
    rules_.push_back({key, [key, check = std::move(check)](const void* self, const Node& node,
                                                           const Reading& reading) {
                        Status status = check(*static_cast<const T*>(self));
                        if (status.ok()) return;
                        const Node* value = node.Find(key);
                        reading.faults.Add((value == nullptr ? node : *value).place(),
                                           std::move(status).error().message);
                      }});
    return *this;
  }

  /// Check the whole once everything was read well; add faults at whichever node is wrong.
  Shape& CheckNode(std::function<void(const T&, const Node&, Faults&)> check) {
    rules_.push_back({"", [check = std::move(check)](const void* self, const Node& node,
                                                     const Reading& reading) {
                        check(*static_cast<const T*>(self), node, reading.faults);
                      }});
    return *this;
  }

  /// Demand exactly one of these keys.
  Shape& ExactlyOneOf(std::vector<std::string> keys) {
    exactly_one_of_.push_back(std::move(keys));
    return *this;
  }

  /// Refuse more than one of these keys.
  Shape& AtMostOneOf(std::vector<std::string> keys) {
    at_most_one_of_.push_back(std::move(keys));
    return *this;
  }

  /// Read a mapping (a null counts as an empty one), adding all faults. Use the value only when
  /// none was added.
  T Read(const Node& node, const Reading& reading) const {
    T value{};
    ReadOver(node, reading, value);
    return value;
  }

  /// Read a mapping over a value: keys that are not given leave their members as they are.
  void ReadOver(const Node& node, const Reading& reading, T& value) const {
    ReadInto(node, reading, &value);
  }

  /// Read a mapping; all faults are one kConfig error.
  Result<T> Parse(const Node& node, const Environment* environment = nullptr) const {
    Faults faults;
    T value = Read(node, {.faults = faults, .environment = environment});
    CALVE_RETURN_IF_ERROR(faults.ToStatus());
    return value;
  }

  /// Make the mapping that reads as this value; options that have their default are left out.
  Node Write(const T& value) const { return WriteFrom(&value); }

  void Validate(const Node& node, const Reading& reading) const override {
    (void)Read(node, reading);
  }

 private:
  template <typename U>
  friend class Shape;

  template <typename M, typename Owner>
  Shape& Add(std::string key, M Owner::* member, std::string meaning, OptionNotes notes,
             bool required);

  template <typename Inner, typename Access>
  Shape& TakeOver(const Shape<Inner>& inner, Access access);
};

/// Read a YAML file by its declaration: parse it, fill in ${...}, read the options. Adds all faults
/// of the file at once.
template <typename T>
T ReadYaml(const Shape<T>& shape, std::string_view text, std::string_view file,
           const Environment& environment, Faults& faults) {
  Node root = ParseYaml(text, file, faults);
  FillIn(root, environment, faults);
  return shape.Read(root, {.faults = faults, .environment = &environment});
}

/// Whether M is a struct that declares its own options.
template <typename M>
concept Declared = requires {
  { M::Declaration() } -> std::same_as<Shape<M>>;
};

/// Make a part from a struct with a Declaration(), for a registry.
template <Declared M>
Part MakePart(std::string name) {
  return {std::move(name), std::make_shared<const Shape<M>>(M::Declaration())};
}

}  // namespace calve::config

#include "config/codec.h"  // IWYU pragma: export
