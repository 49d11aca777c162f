#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "config/document.h"
#include "config/option.h"

namespace calve::config {

namespace {

using Form = TypeDescription::Form;

/// Make a text fit for a cell of a Markdown table.
std::string Cell(std::string_view text) {
  std::string cell;
  for (const char c : text) {
    if (c == '|') {
      cell += "\\|";
    } else {
      cell += c == '\n' ? ' ' : c;
    }
  }
  return cell;
}

/// A text in backticks, whatever backticks are in it.
std::string Code(std::string_view text) {
  return text.find('`') == std::string_view::npos ? fmt::format("`{}`", text)
                                                  : fmt::format("`` {} ``", text);
}

std::string Codes(const std::vector<std::string>& texts) {
  std::vector<std::string> codes;
  for (const std::string& text : texts) codes.push_back(Code(text));
  return Join(codes, ", ");
}

std::string_view WithoutArticle(std::string_view phrase) {
  return phrase.starts_with("a ")    ? phrase.substr(2)
         : phrase.starts_with("an ") ? phrase.substr(3)
                                     : phrase;
}

std::string TypeCell(const TypeDescription& type) {
  if (type.form == Form::kName) {
    std::vector<std::string> names;
    for (const NameDescription& name : type.names) names.push_back(name.name);
    return Codes(names);
  }
  const std::string phrase = ToPhrase(type);
  const std::string_view text = WithoutArticle(phrase);
  return std::string(text.substr(0, text.find(" such as ")));
}

std::string DefaultCell(const OptionDescription& option) {
  if (option.required)
    return option.environment.empty() ? "required" : "`$" + option.environment + "`, or required";
  std::string text = option.default_text;
  if (text.empty() && option.default_value.has_value())
    text = Code(ToFlowYaml(*option.default_value));
  if (option.environment.empty()) return text;
  return "`$" + option.environment + "`" + (text.empty() ? "" : ", or " + text);
}

std::string MeaningCell(const OptionDescription& option) {
  std::string text = option.meaning;
  for (const NameDescription& name : option.type.names) {
    if (!name.meaning.empty()) text += fmt::format(" {}: {}", Code(name.name), name.meaning);
  }
  if (option.secret) text += " Secret: write it as `${NAME}` or `${file:path}`.";
  if (!option.aliases.empty()) text += " Older name: " + Codes(option.aliases) + ".";
  return text;
}

/// Prints the rows of a shape and of the shapes in it, keys joined by dots.
class Table {
 public:
  std::string Print(const ShapeDescription& shape) {
    out_ = "| key | type | default | meaning |\n|---|---|---|---|\n";
    Rows(shape, "");
    return std::move(out_);
  }

 private:
  void Rows(const ShapeDescription& shape, const std::string& prefix) {
    within_.push_back(shape.noun);
    for (const OptionDescription& option : shape.options) {
      out_ += fmt::format("| {} | {} | {} | {} |\n", Code(prefix + option.key),
                          Cell(TypeCell(option.type)), Cell(DefaultCell(option)),
                          Cell(MeaningCell(option)));
      const TypeDescription* type = &option.type;
      std::string below = prefix + option.key;
      for (; type->item != nullptr; type = type->item.get())
        below += type->form == Form::kList ? "[]" : ".<name>";
      if (type->form != Form::kShape) continue;
      const ShapeDescription inner = type->shape();
      const bool contains_itself =
          std::find(within_.begin(), within_.end(), inner.noun) != within_.end();
      if (!contains_itself) Rows(inner, below + ".");
    }
    within_.pop_back();
  }

  std::string out_;
  std::vector<std::string> within_;
};

/// Whether a group lets `key` stand only without one that stands before it.
bool IsAlternative(const ShapeDescription& shape, const std::string& key) {
  const auto comes_later = [&](const std::vector<std::string>& group) {
    const auto at = std::find(group.begin(), group.end(), key);
    return at != group.begin() && at != group.end();
  };
  return std::any_of(shape.exactly_one_of.begin(), shape.exactly_one_of.end(), comes_later) ||
         std::any_of(shape.at_most_one_of.begin(), shape.at_most_one_of.end(), comes_later);
}

std::string Example(const ShapeDescription& shape, int indent, int depth) {
  constexpr int kDepthMax = 4;
  const std::string margin(static_cast<size_t>(indent), ' ');
  std::string out;
  for (const OptionDescription& option : shape.options) {
    if (IsAlternative(shape, option.key)) continue;
    if (option.example.find('\n') != std::string::npos) {
      out += margin + option.key + ":\n";
      for (const std::string& line : Split(Trim(option.example), '\n'))
        out += margin + "  " + line + '\n';
    } else if (!option.example.empty()) {
      out += fmt::format("{}{}: {}\n", margin, option.key, option.example);
    } else if (option.type.form == Form::kShape && depth < kDepthMax) {
      const std::string inner = Example(option.type.shape(), indent + 2, depth + 1);
      if (!inner.empty()) out += margin + option.key + ":\n" + inner;
    }
  }
  return out;
}

std::string GroupLines(const ShapeDescription& shape) {
  std::string out;
  const auto line = [&](const std::vector<std::string>& keys, std::string_view rule) {
    out += fmt::format("{} {}.\n\n", rule, Codes(keys));
  };
  for (const auto& keys : shape.exactly_one_of) line(keys, "Give exactly one of");
  for (const auto& keys : shape.at_most_one_of) line(keys, "Give at most one of");
  return out;
}

}  // namespace

std::string ReferencePage(const ShapeDescription& shape, const PageOptions& options) {
  std::string page = std::string(static_cast<size_t>(std::max(options.level, 1)), '#') + ' ' +
                     (options.title.empty() ? shape.noun : options.title) + "\n\n";
  if (!shape.meaning.empty()) page += shape.meaning + "\n\n";
  page += shape.options.empty() ? "It takes no keys.\n" : Table().Print(shape);
  const std::string groups = GroupLines(shape);
  if (!groups.empty()) page += '\n' + groups.substr(0, groups.size() - 1);
  std::string example = options.type.empty() ? "" : "type: " + options.type + '\n';
  example += Example(shape, 0, 0);
  if (!example.empty()) page += "\n```yaml\n" + example + "```\n";
  return page;
}

}  // namespace calve::config
