#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "config/yaml.h"

namespace calve::config {

namespace {

/// Takes the events of nlohmann's parser, which is not recursive, and builds our tree within
/// limits.
class JsonBuilder {
 public:
  JsonBuilder(std::string_view text, std::shared_ptr<const std::string> origin,
              const YamlLimits& limits, Faults& faults)
      : text_(text), place_{std::move(origin), 0, 0}, limits_(limits), faults_(faults) {}

  using number_integer_t = nlohmann::json::number_integer_t;
  using number_unsigned_t = nlohmann::json::number_unsigned_t;
  using number_float_t = nlohmann::json::number_float_t;
  using string_t = nlohmann::json::string_t;
  using binary_t = nlohmann::json::binary_t;

  bool null() { return Put(Node()); }
  bool boolean(bool value) { return Put(Node::Scalar(value ? "true" : "false")); }
  bool number_integer(number_integer_t value) { return Put(Node::Scalar(std::to_string(value))); }
  bool number_unsigned(number_unsigned_t value) { return Put(Node::Scalar(std::to_string(value))); }
  bool number_float(number_float_t, const string_t& written) { return Put(Node::Scalar(written)); }
  bool string(string_t& value) { return Put(Node::Scalar(std::move(value), /*quoted=*/true)); }
  bool binary(binary_t&) { return false; }
  bool start_object(size_t) { return Open(Node::Mapping()); }
  bool start_array(size_t) { return Open(Node::Sequence()); }
  bool end_object() { return Close(); }
  bool end_array() { return Close(); }

  bool key(string_t& name) {
    Level& level = levels_.back();
    if (!level.keys.insert(name).second) {
      faults_.Add(place_, fmt::format("key {} is given twice", QuoteForMessage(name)),
                  "remove one");
    }
    if (name.empty()) faults_.Add(place_, "a key is empty", "write a name before the colon");
    bytes_ += name.size();
    CheckText(name);
    level.key = std::move(name);
    return true;
  }

  bool parse_error(size_t position, const std::string&, const nlohmann::json::exception&) {
    const std::string_view before = text_.substr(0, position == 0 ? 0 : position - 1);
    const size_t line_start = before.rfind('\n') + 1;
    const auto starts_character = [](char c) {
      return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    };
    const auto characters = std::count_if(before.begin() + static_cast<ptrdiff_t>(line_start),
                                          before.end(), starts_character);
    const Place place{place_.file,
                      static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1,
                      static_cast<int>(characters) + 1};
    faults_.Add(place, "this is no JSON", "check the commas, quotes and brackets before it");
    return false;
  }

  Node TakeRoot() { return std::move(root_); }

 private:
  struct Level {
    Node node;
    std::string key;
    std::set<std::string, std::less<>> keys;
  };

  void CheckText(const std::string& text) {
    if (text.find('\0') != std::string::npos) {
      faults_.Add(place_, "a text can't hold the character NUL", "remove the escape");
    }
  }

  bool Charge(const Node& node) {
    bytes_ += node.text().size();
    CheckText(node.text());
    if (++nodes_ <= limits_.nodes_max && bytes_ <= limits_.expanded_bytes_max) return true;
    faults_.Add(
        place_,
        fmt::format("the JSON has more than {} values or {} of text",
                    FormatCount(static_cast<int64_t>(limits_.nodes_max)),
                    FormatBytes(ByteCount(static_cast<int64_t>(limits_.expanded_bytes_max)))),
        "keep data in a data file and name it here");
    return false;
  }

  bool Put(Node node) {
    node.set_place(place_);
    if (node.is_scalar() && !Charge(node)) return false;
    if (levels_.empty()) {
      root_ = std::move(node);
    } else if (levels_.back().node.is_sequence()) {
      levels_.back().node.items().push_back(std::move(node));
    } else {
      levels_.back().node.entries().push_back(
          {std::move(levels_.back().key), place_, std::move(node)});
    }
    return true;
  }

  bool Open(Node node) {
    if (static_cast<int>(levels_.size()) >= limits_.depth_max) {
      faults_.Add(place_,
                  fmt::format("the JSON is nested deeper than {} levels", limits_.depth_max),
                  "flatten it");
      return false;
    }
    if (!Charge(node)) return false;
    levels_.push_back({std::move(node), {}, {}});
    return true;
  }

  bool Close() {
    Node node = std::move(levels_.back().node);
    levels_.pop_back();
    return Put(std::move(node));
  }

  std::string_view text_;
  Place place_;
  const YamlLimits& limits_;
  Faults& faults_;
  std::vector<Level> levels_;
  Node root_;
  size_t nodes_ = 0;
  size_t bytes_ = 0;
};

Node Broken() {
  Node node;
  node.MarkBroken();
  return node;
}

}  // namespace

Node ParseJson(std::string_view text, std::string_view origin, Faults& faults,
               const YamlLimits& limits) {
  const auto name = std::make_shared<const std::string>(origin);
  if (text.size() > limits.bytes_max) {
    faults.Add({name, 0, 0},
               fmt::format("the JSON has {}, and {} is the most",
                           FormatBytes(ByteCount(int64_t(text.size()))),
                           FormatBytes(ByteCount(int64_t(limits.bytes_max)))),
               "keep data in a data file and name it here");
    return Broken();
  }
  JsonBuilder builder(text, name, limits, faults);
  if (!nlohmann::json::sax_parse(text.begin(), text.end(), &builder)) return Broken();
  return builder.TakeRoot();
}

}  // namespace calve::config
