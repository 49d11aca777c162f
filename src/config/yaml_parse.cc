#include <fmt/format.h>
#include <yaml.h>

#include <algorithm>
#include <unordered_map>

#include "base/text.h"
#include "config/yaml.h"

namespace calve::config {

namespace {

constexpr std::string_view kCoreTag = "tag:yaml.org,2002:";

/// The parts of a YAML file that libyaml is not asked about: size, encoding and characters.
class Precheck {
 public:
  Precheck(std::string_view text, std::shared_ptr<const std::string> file, Faults& faults)
      : text_(text), file_(std::move(file)), faults_(faults) {}

  bool Pass(const YamlLimits& limits) const {
    if (text_.size() > limits.bytes_max) {
      faults_.Add({file_, 0, 0},
                  fmt::format("the file has {}, and {} is the most",
                              FormatBytes(Size(text_.size())), FormatBytes(Size(limits.bytes_max))),
                  "keep data in a data file and name it here");
      return false;
    }
    return Encoding() && Characters() && Directives();
  }

  /// The line and column of a byte.
  Place At(size_t offset) const {
    const std::string_view before = text_.substr(0, offset);
    const size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0.
    const auto starts_character = [](char c) {
      return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    };
    return {file_, static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1,
            static_cast<int>(std::count_if(before.begin() + static_cast<ptrdiff_t>(line_start),
                                           before.end(), starts_character)) +
                1};
  }

 private:
  static ByteCount Size(size_t n) { return ByteCount(static_cast<int64_t>(n)); }

  bool Encoding() const {
    if (text_.starts_with("\xFF\xFE") || text_.starts_with("\xFE\xFF")) {
      faults_.Add({file_, 1, 1}, "the file is UTF-16", "save it as UTF-8");
      return false;
    }
    if (IsValidUtf8(text_)) return true;
    size_t at = 0;
    for (size_t length = CharacterAt(at); length != 0; length = CharacterAt(at)) at += length;
    faults_.Add(At(at),
                fmt::format("byte 0x{:02x} is not UTF-8", static_cast<unsigned char>(text_[at])),
                "save the file as UTF-8");
    return false;
  }

  /// How many bytes the character at `offset` has; 0 when it is none.
  size_t CharacterAt(size_t offset) const {
    for (size_t length = 1; length <= 4 && offset + length <= text_.size(); ++length) {
      if (IsValidUtf8(text_.substr(offset, length))) return length;
    }
    return 0;
  }

  bool Characters() const {
    for (size_t i = 0; i < text_.size(); ++i) {
      const auto byte = static_cast<unsigned char>(text_[i]);
      if ((byte >= 0x20 && byte != 0x7F) || byte == '\t' || byte == '\n' || byte == '\r') continue;
      faults_.Add(At(i), fmt::format("control character 0x{:02x} can't stand in YAML", byte),
                  fmt::format("remove it, or write \\x{:02x} inside double quotes", byte));
      return false;
    }
    return true;
  }

  /// libyaml compares each %TAG with all before it, so a file of them would keep it busy for
  /// minutes.
  bool Directives() const {
    for (size_t line = 0; line < text_.size();) {
      if (text_.substr(line).starts_with("%TAG")) {
        faults_.Add(At(line), "%TAG is not supported",
                    "remove it: an option's type is declared, tags change nothing");
        return false;
      }
      const size_t end = text_.find_first_of("\r\n", line);
      if (end == std::string_view::npos) break;
      line = end + 1;
    }
    return true;
  }

  std::string_view text_;
  std::shared_ptr<const std::string> file_;
  Faults& faults_;
};

/// libyaml's event, released when it goes.
struct Event {
  yaml_event_t event{};
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { yaml_event_delete(&event); }
};

std::string Text(const yaml_char_t* text) {
  return text == nullptr ? "" : reinterpret_cast<const char*>(text);
}

/// libyaml's events to our tree, within limits.
class TreeBuilder {
 public:
  TreeBuilder(std::string_view text, std::shared_ptr<const std::string> file,
              const YamlLimits& limits, Faults& faults, const Precheck& precheck)
      : text_(text), file_(std::move(file)), limits_(limits), faults_(faults), precheck_(precheck) {
    made_ = yaml_parser_initialize(&parser_) != 0;
    if (!made_) return;
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                                 text.size());
  }
  ~TreeBuilder() {
    if (made_) yaml_parser_delete(&parser_);
  }
  TreeBuilder(const TreeBuilder&) = delete;
  TreeBuilder& operator=(const TreeBuilder&) = delete;

  Node Build() {
    Node root = ReadDocument();
    if (stopped_) root.MarkBroken();
    return root;
  }

 private:
  Node ReadDocument() {
    Node root;
    root.set_place({file_, 1, 1});
    if (!made_) return Stop(root.place(), "out of memory", "");
    for (bool seen_document = false;;) {
      Event next;
      if (!Next(next)) return root;
      switch (next.event.type) {
        case YAML_STREAM_END_EVENT:
          return root;
        case YAML_DOCUMENT_START_EVENT:
          if (seen_document) {
            Stop(At(next.event.start_mark), "a second document begins here",
                 "write one document a file, without ---");
            return root;
          }
          seen_document = true;
          break;
        case YAML_STREAM_START_EVENT:
        case YAML_DOCUMENT_END_EVENT:
          break;
        default:
          root = Read(next.event, 0);
          if (stopped_) return root;
      }
    }
  }

  /// What an anchor stands for, and what copying it costs.
  struct Anchor {
    Node node;
    size_t nodes = 0;
    size_t bytes = 0;
    int height = 0;
  };

  Place At(const yaml_mark_t& mark) const {
    return {file_, static_cast<int>(mark.line) + 1, static_cast<int>(mark.column) + 1};
  }

  Node Stop(Place place, std::string message, std::string hint) {
    if (!stopped_) faults_.Add(std::move(place), std::move(message), std::move(hint));
    stopped_ = true;
    return {};
  }

  bool Next(Event& out) {
    if (stopped_) return false;
    if (yaml_parser_parse(&parser_, &out.event) != 0) return true;
    Explain();
    return false;
  }

  /// Count what was read against the limits; false when there is too much of it.
  bool Charge(size_t nodes, size_t bytes, const Place& place) {
    nodes_ += nodes;
    bytes_ += bytes;
    if (nodes_ <= limits_.nodes_max && bytes_ <= limits_.expanded_bytes_max) return true;
    Stop(
        place,
        nodes_ > limits_.nodes_max
            ? fmt::format("the file has more than {} values, aliases filled in",
                          FormatCount(static_cast<int64_t>(limits_.nodes_max)))
            : fmt::format("the file has more than {} of text, aliases filled in",
                          FormatBytes(ByteCount(static_cast<int64_t>(limits_.expanded_bytes_max)))),
        "keep data in a data file and name it here");
    return false;
  }

  Node Read(const yaml_event_t& event, int depth) {
    const Place place = At(event.start_mark);
    if (event.type == YAML_ALIAS_EVENT) return Alias(Text(event.data.alias.anchor), place, depth);
    if (depth >= limits_.depth_max) {
      return Stop(place, fmt::format("the file is nested deeper than {} levels", limits_.depth_max),
                  "flatten it");
    }
    const size_t nodes_before = nodes_;
    const size_t bytes_before = bytes_;
    if (!Charge(1, 0, place)) return {};
    Node node;
    std::string anchor;
    if (event.type == YAML_SCALAR_EVENT) {
      anchor = Text(event.data.scalar.anchor);
      node = Scalar(event, place);
    } else if (event.type == YAML_SEQUENCE_START_EVENT) {
      anchor = Text(event.data.sequence_start.anchor);
      CheckTag(event.data.sequence_start.tag, "seq", place);
      node = Sequence(depth);
    } else if (event.type == YAML_MAPPING_START_EVENT) {
      anchor = Text(event.data.mapping_start.anchor);
      CheckTag(event.data.mapping_start.tag, "map", place);
      node = Mapping(depth);
    } else {
      return Stop(place, "expected a value", "");
    }
    if (stopped_) return node;
    node.set_place(place);
    if (!anchor.empty()) {
      const size_t nodes = nodes_ - nodes_before;
      const size_t bytes = bytes_ - bytes_before;
      if (!Charge(nodes, bytes, place)) return node;  // The anchor keeps a copy.
      anchors_.insert_or_assign(anchor, Anchor{node, nodes, bytes, Height(node)});
    }
    return node;
  }

  Node Alias(const std::string& name, const Place& place, int depth) {
    const auto found = anchors_.find(name);
    if (found == anchors_.end()) {
      faults_.Add(place, fmt::format("*{} refers to no &{} before it", name, name),
                  "an alias starts with *; put a text that begins with * in quotes");
      Charge(1, 0, place);
      Node broken;
      broken.set_place(place);
      broken.MarkBroken();
      return broken;
    }
    const Anchor& anchor = found->second;
    if (!Charge(anchor.nodes, anchor.bytes, place)) return {};
    if (depth + anchor.height > limits_.depth_max) {
      return Stop(place, fmt::format("the file is nested deeper than {} levels", limits_.depth_max),
                  "flatten it");
    }
    return anchor.node;
  }

  static int Height(const Node& node) {
    int below = 0;
    for (const Node& item : node.items()) below = std::max(below, Height(item));
    for (const Node::Entry& entry : node.entries()) below = std::max(below, Height(entry.value));
    return below + 1;
  }

  Node Scalar(const yaml_event_t& event, const Place& place) {
    const auto& scalar = event.data.scalar;
    if (!Charge(0, scalar.length, place)) return {};
    const bool tagged = CheckTag(scalar.tag, "str", place);
    const std::string_view text(reinterpret_cast<const char*>(scalar.value), scalar.length);
    if (text.find('\0') != std::string_view::npos) {
      faults_.Add(place, "a text can't hold the character NUL", "remove the escape");
    }
    return Node::Scalar(std::string(text), tagged || scalar.style != YAML_PLAIN_SCALAR_STYLE);
  }

  Node Sequence(int depth) {
    Node node = Node::Sequence();
    while (true) {
      Event next;
      if (!Next(next) || next.event.type == YAML_SEQUENCE_END_EVENT) return node;
      node.items().push_back(Read(next.event, depth + 1));
    }
  }

  Node Mapping(int depth) {
    Node node = Node::Mapping();
    std::unordered_map<std::string, int> line_of;
    while (true) {
      Event key_event;
      if (!Next(key_event) || key_event.event.type == YAML_MAPPING_END_EVENT) return node;
      const Place place = At(key_event.event.start_mark);
      const bool plain = key_event.event.type == YAML_SCALAR_EVENT &&
                         key_event.event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
      const Node key = Read(key_event.event, depth + 1);
      Event value_event;
      if (!Next(value_event)) return node;
      Node value = Read(value_event.event, depth + 1);
      if (stopped_) return node;
      if (!GoodKey(key, plain, place)) continue;
      const auto [first, is_new] = line_of.try_emplace(key.text(), place.line);
      if (!is_new) {
        faults_.Add(place,
                    fmt::format("key {} is given twice, first in line {}",
                                QuoteForMessage(key.text()), first->second),
                    "remove one");
        continue;
      }
      node.entries().push_back({key.text(), place, std::move(value)});
    }
  }

  bool GoodKey(const Node& key, bool plain, const Place& place) {
    if (!key.is_scalar()) {
      faults_.Add(place, key.is_sequence() ? "a list can't be a key" : "a mapping can't be a key",
                  "put ${...} and other texts with {} or [] in quotes");
      return false;
    }
    if (key.text().empty()) {
      faults_.Add(place, "a key is empty", "write a name before the colon");
      return false;
    }
    if (plain && key.text() == "<<") {
      faults_.Add(place, "merge keys (<<) are no part of YAML 1.2",
                  "write the keys out, or use a template");
      return false;
    }
    return true;
  }

  /// Whether there is a tag; a tag that would change what a value is, is a fault.
  bool CheckTag(const yaml_char_t* given, std::string_view allowed, const Place& place) {
    const std::string tag = Text(given);
    if (tag.empty()) return false;
    if (tag != "!" && tag != std::string(kCoreTag) + std::string(allowed)) {
      const bool core = tag.starts_with(kCoreTag);
      const std::string shown = core ? "!!" + tag.substr(kCoreTag.size()) : tag;
      faults_.Add(place, fmt::format("tag {} is not understood", QuoteForMessage(shown)),
                  "remove it, or put a text that begins with ! in quotes");
    }
    return true;
  }

  /// Say what is wrong with the syntax in words that help; libyaml's own where there are no better
  /// ones.
  void Explain() {
    const std::string problem = parser_.problem == nullptr ? "out of memory" : parser_.problem;
    const std::string context = parser_.context == nullptr ? "" : parser_.context;
    if (parser_.error == YAML_READER_ERROR) {
      Stop(precheck_.At(std::min(parser_.problem_offset, text_.size())), problem,
           "remove the character");
      return;
    }
    const Place place = At(parser_.problem_mark);
    const Place begun = At(parser_.context_mark);
    if (problem == "found unexpected end of stream" &&
        context == "while scanning a quoted scalar") {
      Stop(begun, "the quote that opens here is never closed",
           "close it, or double a ' that is part of the text");
    } else if (problem == "found character that cannot start any token") {
      ExplainCharacter(place);
    } else if (problem.starts_with("found a tab character")) {
      Stop(place, "a tab can't indent YAML", "use spaces");
    } else if (problem.starts_with("did not find expected ',' or")) {
      const bool variable = Line(place.line).find("${") != std::string_view::npos;
      Stop(place,
           fmt::format("expected , or {} in the {} that opens in line {}",
                       problem.substr(problem.size() - 3),
                       problem.ends_with("'}'") ? "mapping" : "list", begun.line),
           variable ? "inside {} and [] put \"${...}\" in quotes"
                    : "close it, or put texts with : , [ ] { } in quotes");
    } else if (problem == "mapping values are not allowed in this context") {
      Stop(place, "a colon is not expected here",
           "put a text with ': ' in quotes, or check the indentation");
    } else if (problem == "did not find expected key") {
      Stop(place,
           "expected a key, or the end of the mapping that begins in line " +
               std::to_string(begun.line),
           "check the indentation and the quotes");
    } else if (problem == "could not find expected ':'") {
      Stop(begun, "expected a colon after this key", "write key: value");
    } else if (problem == "did not find expected node content") {
      Stop(place, "expected a value here",
           "check for a doubled comma, or a text that needs quotes");
    } else if (problem == "found unknown escape character") {
      Stop(place, "unknown escape in double quotes",
           "write \\\\ for a backslash, or use single quotes");
    } else if (problem == "block sequence entries are not allowed in this context") {
      Stop(place, "a list item is not expected here",
           "put '- ' on a line of its own, or a text that begins with it in quotes");
    } else if (problem == "did not find expected '-' indicator") {
      Stop(
          place,
          "expected '- ', or the end of the list that begins in line " + std::to_string(begun.line),
          "check the indentation");
    } else {
      Stop(place, "this is no YAML: " + problem + (context.empty() ? "" : " " + context), "");
    }
  }

  void ExplainCharacter(const Place& place) {
    const std::string_view line = Line(place.line);
    size_t byte = 0;
    for (int column = 1; byte < line.size() && column < place.column; ++byte) {
      if (byte + 1 < line.size() && (static_cast<unsigned char>(line[byte + 1]) & 0xC0) != 0x80)
        ++column;
    }
    const char found = byte < line.size() ? line[byte] : ' ';
    if (found == '\t') {
      Stop(place, "a tab can't indent YAML", "use spaces");
    } else {
      Stop(place, fmt::format("a text can't begin with {}", found), "put it in quotes");
    }
  }

  std::string_view Line(int number) const {
    std::string_view rest = text_;
    for (int line = 1; line < number; ++line) {
      const size_t end = rest.find('\n');
      if (end == std::string_view::npos) return {};
      rest.remove_prefix(end + 1);
    }
    return rest.substr(0, rest.find('\n'));
  }

  std::string_view text_;
  std::shared_ptr<const std::string> file_;
  const YamlLimits& limits_;
  Faults& faults_;
  const Precheck& precheck_;
  yaml_parser_t parser_{};
  bool made_ = false;
  bool stopped_ = false;
  size_t nodes_ = 0;
  size_t bytes_ = 0;
  std::unordered_map<std::string, Anchor> anchors_;
};

}  // namespace

Node ParseYaml(std::string_view text, std::string_view file, Faults& faults,
               const YamlLimits& limits) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const auto name = std::make_shared<const std::string>(file);
  const Precheck precheck(text, name, faults);
  Node root;
  if (!precheck.Pass(limits)) {
    root.MarkBroken();
    return root;
  }
  return TreeBuilder(text, name, limits, faults, precheck).Build();
}

Result<Node> ParseYaml(std::string_view text, std::string_view file, const YamlLimits& limits) {
  Faults faults;
  Node node = ParseYaml(text, file, faults, limits);
  CALVE_RETURN_IF_ERROR(faults.ToStatus());
  return node;
}

}  // namespace calve::config
