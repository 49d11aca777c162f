#include "config/environment.h"

#include <fmt/format.h>

#include "base/text.h"

namespace calve::config {

namespace {

bool IsName(std::string_view text) {
  if (text.empty() || (text[0] >= '0' && text[0] <= '9')) return false;
  for (const char c : text) {
    const bool word =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    if (!word) return false;
  }
  return true;
}

/// Replaces the ${...} of one scalar.
class Filler {
 public:
  Filler(const Environment& environment, const Place& place, size_t& budget, Faults& faults)
      : environment_(environment), place_(place), budget_(budget), faults_(faults) {}

  /// The text with everything filled in. What can't be is left out, with a fault.
  std::string Fill(std::string_view text, int depth = 0) {
    std::string out;
    for (size_t i = 0; i < text.size();) {
      if (text.substr(i).starts_with("$${")) {
        out += "${";
        i += 3;
      } else if (text.substr(i).starts_with("${")) {
        const size_t end = EndOf(text, i + 2);
        if (end == std::string_view::npos) {
          faults_.Add(place_, "a ${ has no }", "close it, or write $${ for a literal ${");
          return out;
        }
        const std::string value = Value(text.substr(i + 2, end - i - 2), depth);
        if (value.size() > budget_) {
          faults_.Add(place_, "the values of all ${...} together have more than 16 MB",
                      "keep data in a data file and name it here");
          budget_ = 0;
          return out;
        }
        budget_ -= value.size();
        out += value;
        i = end + 1;
      } else {
        out += text[i++];
      }
    }
    return out;
  }

 private:
  static constexpr int kDepthMax = 8;

  /// The } that closes what opened before `start`, past ${...} in between.
  static size_t EndOf(std::string_view text, size_t start) {
    int open = 1;
    for (size_t i = start; i < text.size(); ++i) {
      if (text.substr(i).starts_with("$${")) {
        i += 2;
      } else if (text.substr(i).starts_with("${")) {
        ++open;
        ++i;
      } else if (text[i] == '}' && --open == 0) {
        return i;
      }
    }
    return std::string_view::npos;
  }

  std::string Value(std::string_view reference, int depth) {
    if (depth >= kDepthMax) {
      faults_.Add(place_, fmt::format("${{...}} is nested deeper than {} levels", kDepthMax),
                  "flatten it");
      return {};
    }
    if (reference.starts_with("file:")) return File(std::string(reference.substr(5)), depth);
    const size_t colon = reference.find(":-");
    const std::string name(reference.substr(0, colon));
    if (!IsName(name)) {
      faults_.Add(
          place_,
          fmt::format("{} names no variable", QuoteForMessage("${" + std::string(reference) + "}")),
          "write ${NAME}, ${NAME:-default} or ${file:path}; $${ is a literal ${");
      return {};
    }
    std::optional<std::string> value = environment_.Get(name);
    if (colon != std::string_view::npos) {
      return value.has_value() && !value->empty() ? *value
                                                  : Fill(reference.substr(colon + 2), depth + 1);
    }
    if (!value.has_value()) {
      faults_.Add(place_, fmt::format("${{{}}} is not set", name),
                  fmt::format("set it, or write ${{{}:-default}}", name));
      return {};
    }
    return *value;
  }

  std::string File(const std::string& written, int depth) {
    const std::string path = Fill(written, depth + 1);
    const auto fault = [&](std::string_view why) {
      faults_.Add(place_, fmt::format("${{file:{}}} can't be read: {}", written, why),
                  "name a file that is there, relative to the project folder");
      return std::string();
    };
    if (path.empty()) return fault("no file is named");
    if (!environment_.read_file) return fault("no files can be read here");
    Result<std::string> content = environment_.read_file(path);
    if (!content.ok()) return fault(content.error().message);
    std::string text = *std::move(content);
    if (text.ends_with('\n')) text.pop_back();
    if (text.ends_with('\r')) text.pop_back();
    if (!IsValidUtf8(text) || text.find('\0') != std::string::npos)
      return fault("it is no UTF-8 text");
    return text;
  }

  const Environment& environment_;
  const Place& place_;
  size_t& budget_;
  Faults& faults_;
};

void FillTree(Node& node, const Environment& environment, size_t& budget, Faults& faults) {
  for (Node& item : node.items()) FillTree(item, environment, budget, faults);
  for (Node::Entry& entry : node.entries()) FillTree(entry.value, environment, budget, faults);
  const bool is_text = node.is_scalar() && !node.is_broken();
  if (!is_text || node.text().find("${") == std::string::npos) return;
  const size_t before = faults.size();
  node.Fill(Filler(environment, node.place(), budget, faults).Fill(node.text()));
  if (faults.size() > before) node.MarkBroken();
}

/// Reads one line of a .env file.
class DotEnvLine {
 public:
  DotEnvLine(std::string_view line, Place place, Faults& faults)
      : line_(line), place_(std::move(place)), faults_(faults) {}

  void Read(std::map<std::string, std::string>& out) {
    std::string_view rest = Trim(line_);
    if (rest.empty() || rest.starts_with('#')) return;
    if (rest.starts_with("export ") || rest.starts_with("export\t")) rest = Trim(rest.substr(7));
    const size_t equals = rest.find('=');
    const std::string name(Trim(rest.substr(0, equals)));
    if (equals == std::string_view::npos || !IsName(name)) {
      faults_.Add(place_, "expected NAME=value",
                  "write one variable a line; a comment begins with #");
      return;
    }
    const std::optional<std::string> value = Value(Trim(rest.substr(equals + 1)));
    if (value.has_value()) out[name] = *value;
  }

 private:
  std::optional<std::string> Value(std::string_view text) {
    if (!text.starts_with('"') && !text.starts_with('\'')) {
      size_t end = text.find(" #");
      end = std::min(end, text.find("\t#"));
      if (text.starts_with('#')) end = 0;
      return std::string(Trim(text.substr(0, end)));
    }
    const char quote = text[0];
    std::string value;
    for (size_t i = 1; i < text.size(); ++i) {
      if (text[i] == quote) {
        const std::string_view after = Trim(text.substr(i + 1));
        if (after.empty() || after.starts_with('#')) return value;
        faults_.Add(place_, "there is text after the closing quote",
                    "remove it, or begin a comment with #");
        return std::nullopt;
      }
      if (text[i] == '\\' && quote == '"' && i + 1 < text.size()) {
        ++i;
        value += text[i] == 'n' ? '\n' : text[i] == 't' ? '\t' : text[i] == 'r' ? '\r' : text[i];
      } else {
        value += text[i];
      }
    }
    faults_.Add(place_, "the quote is never closed",
                "close it on the same line; write \\n in double quotes for a line break");
    return std::nullopt;
  }

  std::string_view line_;
  Place place_;
  Faults& faults_;
};

}  // namespace

std::optional<std::string> Environment::Get(const std::string& name) const {
  const auto found = variables.find(name);
  return found == variables.end() ? std::nullopt : std::optional(found->second);
}

std::map<std::string, std::string> ParseDotEnv(std::string_view text, std::string_view file,
                                               Faults& faults) {
  const auto name = std::make_shared<const std::string>(file);
  std::map<std::string, std::string> variables;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  int line = 0;
  for (const std::string& content : Split(text, '\n')) {
    ++line;
    const Place place{name, line, 1};
    if (!IsValidUtf8(content) || content.find('\0') != std::string::npos) {
      faults.Add(place, "this line is no UTF-8 text", "save the file as UTF-8");
      continue;
    }
    DotEnvLine(content, place, faults).Read(variables);
  }
  return variables;
}

std::map<std::string, std::string> OverlayEnvironment(
    std::map<std::string, std::string> process, const std::map<std::string, std::string>& dot_env) {
  process.insert(dot_env.begin(), dot_env.end());  // Keeps what is there.
  return process;
}

void FillIn(Node& root, const Environment& environment, Faults& faults) {
  size_t budget = size_t{16} << 20;
  FillTree(root, environment, budget, faults);
}

}  // namespace calve::config
