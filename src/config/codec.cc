#include "config/codec.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <cmath>

#include "base/text.h"

namespace calve::config {

namespace {

using Form = TypeDescription::Form;

/// A unit that follows a number, and how much it is.
struct Unit {
  std::string_view name;
  int64_t amount;
};

constexpr std::array kDurationUnits = {Unit{"w", 7LL * 86'400'000'000},
                                       Unit{"d", 86'400'000'000},
                                       Unit{"h", 3'600'000'000},
                                       Unit{"m", 60'000'000},
                                       Unit{"s", 1'000'000},
                                       Unit{"ms", 1'000},
                                       Unit{"us", 1}};
constexpr std::array kByteUnits = {Unit{"TB", 1'000'000'000'000},
                                   Unit{"GB", 1'000'000'000},
                                   Unit{"MB", 1'000'000},
                                   Unit{"kB", 1'000},
                                   Unit{"TiB", 1LL << 40},
                                   Unit{"GiB", 1LL << 30},
                                   Unit{"MiB", 1LL << 20},
                                   Unit{"KiB", 1LL << 10},
                                   Unit{"KB", 1'000},
                                   Unit{"B", 1}};

/// What was given, as a message may show it.
std::string Shown(const Node& node, const Asked& asked) {
  if (node.is_sequence()) return "a list";
  if (node.is_mapping()) return "a mapping";
  if (asked.notes.secret) return "what is given";
  if (node.is_null()) return "nothing";
  if (node.filled()) return "what " + QuoteForMessage(node.written()) + " holds";
  return QuoteForMessage(node.text());
}

/// Add "port is a whole number from 1 to 65535, not 'abc'". Always false.
bool Expected(const Node& node, const Asked& asked, const Reading& reading,
              const std::string& phrase, std::string hint = {}) {
  if (node.is_broken()) return false;
  reading.faults.Add(node.place(),
                     fmt::format("{} is {}, not {}", asked.key, phrase, Shown(node, asked)),
                     std::move(hint));
  return false;
}

bool ExpectedForm(const Node& node, const Asked& asked, const Reading& reading, Form form) {
  return Expected(node, asked, reading, ToPhrase(DescribeForm(form, asked.notes)));
}

bool InRange(double value, const TypeDescription& type) {
  return (!type.min.has_value() || value >= *type.min) &&
         (!type.max.has_value() || value <= *type.max);
}

/// Take a decimal number off the front of `text`, times `amount_of` its unit. Exact; none when it
/// is not whole.
template <size_t N>
std::optional<int64_t> TakeQuantity(std::string_view& text, const std::array<Unit, N>& units) {
  const size_t number_end = std::min(text.find_first_not_of("0123456789."), text.size());
  const std::string_view number = text.substr(0, number_end);
  const size_t unit_start = std::min(text.find_first_not_of(' ', number_end), text.size());
  const size_t unit_end = std::min(text.find_first_of("0123456789. ", unit_start), text.size());
  const std::string_view unit_name = text.substr(unit_start, unit_end - unit_start);
  const size_t point = number.find('.');
  const std::string_view whole = number.substr(0, point);
  const std::string_view part =
      point == std::string_view::npos ? std::string_view() : number.substr(point + 1);
  if (whole.empty() || whole.size() > 18 || part.size() > 9 ||
      part.find('.') != std::string_view::npos)
    return std::nullopt;
  if (point != std::string_view::npos && part.empty()) return std::nullopt;
  for (const Unit& unit : units) {
    if (unit.name != unit_name) continue;
    int64_t digits = 0;
    int64_t scale = 1;
    for (const char c : whole) digits = digits * 10 + (c - '0');
    __extension__ __int128 value = static_cast<__int128>(digits) * unit.amount;
    int64_t part_digits = 0;
    for (const char c : part) {
      part_digits = part_digits * 10 + (c - '0');
      scale *= 10;
    }
    const __int128 part_value = static_cast<__int128>(part_digits) * unit.amount;
    if (part_value % scale != 0) return std::nullopt;
    value += part_value / scale;
    if (value > std::numeric_limits<int64_t>::max()) return std::nullopt;
    text.remove_prefix(unit_end);
    return static_cast<int64_t>(value);
  }
  return std::nullopt;
}

template <size_t N>
std::string WriteQuantity(int64_t value, const std::array<Unit, N>& units) {
  for (const Unit& unit : units) {
    if (value != 0 && value % unit.amount == 0)
      return fmt::format("{}{}", value / unit.amount, unit.name);
  }
  return fmt::format("{}{}", value, units.back().name);
}

/// A plain decimal integer, as YAML 1.2 writes it.
std::optional<int64_t> ParseInteger(std::string_view text) {
  if (text.starts_with('+') && text.size() > 1 && text[1] != '-') text.remove_prefix(1);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> ParseNumber(std::string_view text) {
  if (text.starts_with('+') && text.size() > 1 && text[1] != '-') text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() ||
      !std::isfinite(value))
    return std::nullopt;
  return value;
}

/// The scalar in a list or a map that someone left out of its brackets, as a hint.
std::string ListHint(const Node& node, const Asked& asked) {
  if (!node.is_scalar() || node.is_null() || asked.notes.secret || node.written().size() > 60)
    return {};
  return fmt::format("write [{}]", ToFlowYaml(node));
}

const Part* FindPart(const Parts& parts, const Node& name, const Reading& reading) {
  const Part* part = name.is_scalar() ? parts.Find(name.text()) : nullptr;
  if (part != nullptr || name.is_broken()) return part;
  std::vector<std::string> known;
  for (const Part& p : parts.parts) known.push_back(p.name);
  for (const PartFamily& family : parts.families) known.push_back(family.name);
  const OptionNotes notes;
  const Asked asked{parts.noun, notes};
  const bool may_compare = name.is_scalar() && !name.filled() && !reading.faults.is_full();
  const std::string near = may_compare ? DidYouMean(name.text(), known) : "";
  reading.faults.Add(name.place(), fmt::format("{} is no {}", Shown(name, asked), parts.noun),
                     near.empty() ? "one of " + Join(known, ", ") : near.substr(2));
  return nullptr;
}

/// Take the key that names the part out of `node`; none when there is none and no default.
std::optional<Node> TakeName(const Parts& parts, const Asked& asked, const Reading& reading,
                             Node& node) {
  std::vector<std::string> keys = {parts.key};
  keys.insert(keys.end(), parts.key_aliases.begin(), parts.key_aliases.end());
  std::optional<Node> name;
  for (const std::string& key : keys) {
    const auto entry =
        std::find_if(node.entries().begin(), node.entries().end(),
                     [&](const Node::Entry& e) { return e.key == key && !e.value.is_null(); });
    if (entry == node.entries().end() || name.has_value()) continue;
    if (key != parts.key) {
      reading.faults.Warn(entry->key_place,
                          fmt::format("'{}' is the older name of '{}'", key, parts.key),
                          "rename it");
    }
    name = entry->value;
    node.Remove(key);
  }
  node.Remove(parts.key);
  if (name.has_value()) {
    for (const PartFamily& family : parts.families) {
      if (!name->is_scalar() || name->text() != family.name) continue;
      const Node* member = node.Find(family.key);
      if (member == nullptr || member->is_null()) {
        reading.faults.Add(
            name->place(),
            fmt::format("{} of type {} needs '{}'", asked.key, family.name, family.key),
            "add it, or name the type itself");
        return std::nullopt;
      }
      name = *member;
      node.Remove(family.key);
    }
    return name;
  }
  if (!parts.default_name.empty()) return Node::Scalar(parts.default_name);
  std::vector<std::string> known;
  for (const Part& part : parts.parts) known.push_back(part.name);
  reading.faults.Add(node.place(), fmt::format("key '{}' of {} is missing", parts.key, asked.key),
                     "one of " + Join(known, ", "));
  return std::nullopt;
}

}  // namespace

TypeDescription DescribeForm(Form form, const OptionNotes& notes) {
  TypeDescription type;
  type.form = form;
  const auto print = [form](double value) {
    if (form == Form::kDuration) return WriteDuration(static_cast<int64_t>(value));
    if (form == Form::kBytes) return WriteBytes(static_cast<int64_t>(value));
    return WriteNumber(value);
  };
  if (notes.min.has_value()) {
    type.min = notes.min->value();
    type.min_text = print(*type.min);
  }
  if (notes.max.has_value()) {
    type.max = notes.max->value();
    type.max_text = print(*type.max);
  }
  return type;
}

bool ReadBool(const Node& node, const Asked& asked, const Reading& reading, bool& out) {
  const std::string_view text = node.text();
  if (node.is_scalar() && (text == "true" || text == "True" || text == "TRUE")) {
    out = true;
  } else if (node.is_scalar() && (text == "false" || text == "False" || text == "FALSE")) {
    out = false;
  } else {
    return ExpectedForm(node, asked, reading, Form::kBool);
  }
  return true;
}

bool ReadInteger(const Node& node, const Asked& asked, const Reading& reading, int64_t lowest,
                 int64_t highest, int64_t& out) {
  TypeDescription type = DescribeForm(Form::kInteger, asked.notes);
  const std::optional<int64_t> value = node.is_scalar() ? ParseInteger(node.text()) : std::nullopt;
  if (value.has_value() && *value >= lowest && *value <= highest &&
      InRange(static_cast<double>(*value), type)) {
    out = *value;
    return true;
  }
  const bool is_too_large = node.is_scalar() && !node.text().empty() &&
                            (!value.has_value() || *value < lowest || *value > highest) &&
                            node.text().find_first_not_of("+-0123456789") == std::string::npos;
  if (!type.min.has_value() && (lowest == 0 || is_too_large)) {
    type.min = static_cast<double>(lowest);
    type.min_text = std::to_string(lowest);
  }
  if (!type.max.has_value() && is_too_large) {
    type.max = static_cast<double>(highest);
    type.max_text = std::to_string(highest);
  }
  return Expected(node, asked, reading, ToPhrase(type));
}

bool ReadNumber(const Node& node, const Asked& asked, const Reading& reading, double& out) {
  const std::optional<double> value = node.is_scalar() ? ParseNumber(node.text()) : std::nullopt;
  if (!value.has_value() || !InRange(*value, DescribeForm(Form::kNumber, asked.notes))) {
    return ExpectedForm(node, asked, reading, Form::kNumber);
  }
  out = *value;
  return true;
}

bool ReadText(const Node& node, const Asked& asked, const Reading& reading, std::string& out) {
  if (!node.is_scalar() || node.is_broken()) {
    return Expected(node, asked, reading, "a text", "put a text that begins with [ or { in quotes");
  }
  out = node.text();
  return true;
}

bool ReadCharacter(const Node& node, const Asked& asked, const Reading& reading, char& out) {
  const std::string& text = node.text();
  if (node.is_scalar() && (text == "tab" || text == "\\t")) {
    out = '\t';
  } else if (node.is_scalar() && text.size() == 1) {
    out = text[0];
  } else {
    return Expected(node, asked, reading, "one character", "write it in quotes, or tab for a tab");
  }
  return true;
}

bool ReadDuration(const Node& node, const Asked& asked, const Reading& reading, int64_t unit_us,
                  int64_t& out) {
  TypeDescription type = DescribeForm(Form::kDuration, asked.notes);
  const std::string_view text = node.text();
  std::string_view rest = text;
  std::optional<int64_t> total =
      text.empty() || !node.is_scalar() ? std::nullopt : std::optional<int64_t>(0);
  if (text == "0") rest = {};
  while (total.has_value() && !rest.empty()) {
    const std::optional<int64_t> next = TakeQuantity(rest, kDurationUnits);
    if (!next.has_value() || *next > std::numeric_limits<int64_t>::max() - *total) {
      total.reset();
    } else {
      total = *total + *next;
    }
    if (rest.starts_with(' ')) rest.remove_prefix(1);
  }
  if (!total.has_value() || !InRange(static_cast<double>(*total), type)) {
    const bool bare = node.is_scalar() && !asked.notes.secret && !node.filled() &&
                      ParseInteger(text).value_or(-1) > 0;
    return Expected(node, asked, reading, ToPhrase(type),
                    bare ? fmt::format("add a unit: {}s, {}m", text, text) : "");
  }
  if (*total % unit_us != 0) {
    return Expected(node, asked, reading, "a duration in steps of " + WriteDuration(unit_us));
  }
  out = *total;
  return true;
}

bool ReadBytes(const Node& node, const Asked& asked, const Reading& reading, int64_t& out) {
  const TypeDescription type = DescribeForm(Form::kBytes, asked.notes);
  std::string_view rest = node.text();
  std::optional<int64_t> bytes;
  if (node.is_scalar()) {
    bytes = ParseInteger(rest);
    if (!bytes.has_value()) {
      bytes = TakeQuantity(rest, kByteUnits);
      if (!rest.empty()) bytes.reset();
    }
  }
  if (!bytes.has_value() || *bytes < 0 || !InRange(static_cast<double>(*bytes), type)) {
    return Expected(node, asked, reading, ToPhrase(type));
  }
  out = *bytes;
  return true;
}

bool ReadFraction(const Node& node, const Asked& asked, const Reading& reading, double& out) {
  const TypeDescription type = DescribeForm(Form::kFraction, asked.notes);
  std::string_view text = node.text();
  const bool percent = text.ends_with('%');
  if (percent) text = Trim(text.substr(0, text.size() - 1));
  std::optional<double> value = node.is_scalar() ? ParseNumber(text) : std::nullopt;
  if (value.has_value() && percent) value = *value / 100;
  if (!value.has_value() || *value < 0 || !InRange(*value, type))
    return Expected(node, asked, reading, ToPhrase(type));
  out = *value;
  return true;
}

bool ReadName(const Node& node, const Asked& asked, const Reading& reading,
              const std::vector<std::string>& names, size_t& out) {
  constexpr size_t kListedMax = 12;
  for (size_t i = 0; node.is_scalar() && i < names.size(); ++i) {
    if (names[i] != node.text()) continue;
    out = i;
    return true;
  }
  if (node.is_broken()) return false;
  const bool may_compare = node.is_scalar() && !node.filled() && !asked.notes.secret;
  const std::string near = names.size() > kListedMax && may_compare && !reading.faults.is_full()
                               ? DidYouMean(node.text(), names)
                               : "";
  reading.faults.Add(node.place(), fmt::format("{} is no {}", Shown(node, asked), asked.key),
                     near.empty() ? "one of " + Join(names, ", ") : near.substr(2));
  return false;
}

bool ReadPart(const Node& node, const Asked& asked, const Reading& reading, PartOptions& out) {
  assert(asked.notes.parts != nullptr);
  const Parts& parts = *asked.notes.parts;
  if (!node.is_mapping()) {
    const bool names_one = node.is_scalar() && parts.Find(node.text()) != nullptr;
    return Expected(node, asked, reading, fmt::format("a mapping with a '{}'", parts.key),
                    names_one ? fmt::format("write {{{}: {}}}", parts.key, node.written()) : "");
  }
  PartOptions options;
  options.node = node;
  const std::optional<Node> name = TakeName(parts, asked, reading, options.node);
  const Part* part = name.has_value() ? FindPart(parts, *name, reading) : nullptr;
  if (part == nullptr) return false;
  const size_t before = reading.faults.size();
  part->shape->Validate(options.node, reading);
  if (reading.environment != nullptr) part->shape->Complete(options.node, *reading.environment);
  options.type = part->name;
  out = std::move(options);
  return reading.faults.size() == before;
}

bool ExpectList(const Node& node, const Asked& asked, const Reading& reading,
                const TypeDescription& item) {
  if (node.is_sequence()) return true;
  TypeDescription list;
  list.form = Form::kList;
  list.item = std::make_shared<const TypeDescription>(item);
  return Expected(node, asked, reading, ToPhrase(list), ListHint(node, asked));
}

bool ExpectMap(const Node& node, const Asked& asked, const Reading& reading,
               const TypeDescription& item) {
  if (node.is_mapping()) return true;
  TypeDescription map;
  map.form = Form::kMap;
  map.item = std::make_shared<const TypeDescription>(item);
  return Expected(node, asked, reading, ToPhrase(map));
}

std::string WriteDuration(int64_t microseconds) {
  if (microseconds == 0) return "0s";
  std::string text = microseconds < 0 ? "-" : "";
  uint64_t rest = microseconds < 0 ? 0 - static_cast<uint64_t>(microseconds)
                                   : static_cast<uint64_t>(microseconds);
  for (const Unit& unit : kDurationUnits) {
    const auto amount = static_cast<uint64_t>(unit.amount);
    if (unit.name == "w" || rest < amount) continue;  // Days say it better than weeks.
    text += fmt::format("{}{}", rest / amount, unit.name);
    rest %= amount;
  }
  return text;
}

std::string WriteBytes(int64_t bytes) { return WriteQuantity(bytes, kByteUnits); }

std::string WriteNumber(double number) {
  // The shortest text that reads back as the same number.
  std::string text = fmt::format("{}", number);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text;
}

}  // namespace calve::config
