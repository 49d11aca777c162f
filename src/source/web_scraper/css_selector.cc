#include "source/web_scraper/css_selector.h"

#include <cstdlib>
#include <optional>

#include "base/text.h"

namespace calve::source::web_scraper {
namespace {

constexpr int kDepthMax = 8;  ///< Selectors within :not() and :has().

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

/// A text as XPath 1.0 has it, which knows no escapes.
std::string Literal(const std::string& text) {
  if (text.find('\'') == std::string::npos) return "'" + text + "'";
  if (text.find('"') == std::string::npos) return "\"" + text + "\"";
  std::string parts;
  for (const std::string& part : calve::Split(text, '\''))
    parts += (parts.empty() ? "'" : ", \"'\", '") + part + "'";
  return "concat(" + parts + ")";
}

/// One compound selector, such as a.b[c]: an element's name and what else must hold.
struct Compound {
  std::string name = "*";
  std::string conditions;  ///< "[...][...]"
};

class CssParser {
 public:
  explicit CssParser(std::string_view text) : text_(text) {}

  Result<std::string> Parse() {
    CALVE_ASSIGN_OR_RETURN(std::string path, ParseList());
    if (at_ < text_.size()) return Fault("expected a selector");
    return path;
  }

 private:
  Error Fault(const std::string& expected) const {
    return ConfigError("'" + std::string(text_) + "' is no CSS selector: " + expected +
                       " at character " + std::to_string(at_ + 1) +
                       (at_ < text_.size() ? ", found '" + std::string(text_.substr(at_, 12)) + "'"
                                           : std::string(", where it ends")));
  }
  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool Take(char c) {
    if (Peek() != c || at_ >= text_.size()) return false;
    ++at_;
    return true;
  }
  bool SkipBlanks() {
    const size_t before = at_;
    while (at_ < text_.size() && IsBlank(text_[at_])) ++at_;
    return at_ > before;
  }

  /// Selectors with commas between them, up to the end or a closing parenthesis.
  Result<std::string> ParseList() {
    std::string all;
    do {
      CALVE_ASSIGN_OR_RETURN(const std::string one, ParseComplex());
      all += (all.empty() ? "" : " | ") + one;
      SkipBlanks();
    } while (Take(','));
    return all;
  }

  Result<std::string> ParseComplex() {
    std::string path;
    SkipBlanks();
    char combinator = ' ';
    if (Peek() == '>' || Peek() == '+' || Peek() == '~') combinator = text_[at_++];
    while (true) {
      SkipBlanks();
      CALVE_ASSIGN_OR_RETURN(const Compound compound, ParseCompound());
      path += (path.empty() ? "" : "/") + Step(combinator, compound);
      const bool blank = SkipBlanks();
      const char next = Peek();
      if (next == '>' || next == '+' || next == '~') {
        combinator = next;
        ++at_;
      } else if (blank && next != ',' && next != ')' && at_ < text_.size()) {
        combinator = ' ';
      } else {
        return path;
      }
    }
  }

  static std::string Step(char combinator, const Compound& compound) {
    const std::string element = compound.name + compound.conditions;
    switch (combinator) {
      case '>':
        return "child::" + element;
      case '+':
        return "following-sibling::*[1]/self::" + element;
      case '~':
        return "following-sibling::" + element;
      default:
        return "descendant::" + element;
    }
  }

  Result<Compound> ParseCompound() {
    Compound compound;
    const size_t begin = at_;
    if (!Take('*') && (IsNameCharacter(Peek()) || Peek() == '\\')) {
      CALVE_ASSIGN_OR_RETURN(const std::string name, ParseName());
      compound.name = ToLower(name);
      const bool is_plain = compound.name.find_first_not_of(
                                "abcdefghijklmnopqrstuvwxyz0123456789-_") == std::string::npos;
      if (!is_plain) return Fault("expected the name of an element before this");
    }
    while (at_ < text_.size()) {
      if (Take('#')) {
        CALVE_ASSIGN_OR_RETURN(const std::string name, ParseName());
        compound.conditions += "[@id = " + Literal(name) + "]";
      } else if (Take('.')) {
        CALVE_ASSIGN_OR_RETURN(const std::string name, ParseName());
        compound.conditions += "[" + HasWord("class", name) + "]";
      } else if (Take('[')) {
        CALVE_ASSIGN_OR_RETURN(const std::string condition, ParseAttribute());
        compound.conditions += "[" + condition + "]";
      } else if (Take(':')) {
        CALVE_ASSIGN_OR_RETURN(const std::string condition, ParsePseudo(compound));
        compound.conditions += "[" + condition + "]";
      } else {
        break;
      }
    }
    if (at_ == begin) return Fault("expected an element, .class, #id, [attribute] or :condition");
    return compound;
  }

  static std::string HasWord(const std::string& attribute, const std::string& word) {
    return "contains(concat(' ', normalize-space(@" + attribute + "), ' '), " +
           Literal(" " + word + " ") + ")";
  }

  Result<std::string> ParseName() {
    std::string name;
    while (at_ < text_.size()) {
      if (IsNameCharacter(text_[at_])) {
        name += text_[at_++];
      } else if (text_[at_] == '\\' && at_ + 1 < text_.size() &&
                 !std::isxdigit(static_cast<unsigned char>(text_[at_ + 1]))) {
        name += text_[at_ + 1];
        at_ += 2;
      } else {
        break;
      }
    }
    if (name.empty()) return Fault("expected a name");
    return name;
  }

  Result<std::string> ParseValue() {
    const char quote = Peek();
    if (quote != '"' && quote != '\'') return ParseName();
    const size_t end = text_.find(quote, ++at_);
    if (end == std::string_view::npos) return Fault("expected the quote that closes");
    std::string value(text_.substr(at_, end - at_));
    at_ = end + 1;
    return value;
  }

  /// After the opening bracket.
  Result<std::string> ParseAttribute() {
    SkipBlanks();
    CALVE_ASSIGN_OR_RETURN(const std::string written, ParseName());
    const std::string name = ToLower(written);
    if (name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_") != std::string::npos)
      return Fault("expected the name of an attribute before this");
    SkipBlanks();
    if (Take(']')) return "@" + name;
    const char kind = Peek();
    if (kind != '=' && at_ < text_.size()) ++at_;
    if (!Take('=') || std::string_view("=~|^$*").find(kind) == std::string_view::npos)
      return Fault("expected ], = or ~= |= ^= $= *=");
    SkipBlanks();
    CALVE_ASSIGN_OR_RETURN(const std::string value, ParseValue());
    SkipBlanks();
    if (!Take(']')) return Fault("expected ]");
    const std::string attribute = "@" + name;
    const std::string literal = Literal(value);
    // These match nothing when the value is empty, as CSS says.
    if (value.empty() && kind != '=' && kind != '|') return std::string("false()");
    switch (kind) {
      case '~':
        return HasWord(name, value);
      case '|':
        return attribute + " = " + literal + " or starts-with(" + attribute + ", " +
               Literal(value + "-") + ")";
      case '^':
        return "starts-with(" + attribute + ", " + literal + ")";
      case '$':
        return "substring(" + attribute + ", string-length(" + attribute + ") - string-length(" +
               literal + ") + 1) = " + literal;
      case '*':
        return "contains(" + attribute + ", " + literal + ")";
      default:
        return attribute + " = " + literal;
    }
  }

  /// After the colon.
  Result<std::string> ParsePseudo(const Compound& compound) {
    CALVE_ASSIGN_OR_RETURN(const std::string written, ParseName());
    const std::string name = ToLower(written);
    const std::string& type = compound.name;
    if (name == "first-child") return std::string("not(preceding-sibling::*[1])");
    if (name == "last-child") return std::string("not(following-sibling::*[1])");
    if (name == "only-child")
      return std::string("not(preceding-sibling::*[1]) and not(following-sibling::*[1])");
    if (name == "empty") return std::string("not(node())");
    const bool of_type = name.ends_with("-of-type");
    if (of_type && type == "*") return Fault("expected an element's name before :" + name);
    if (name == "first-of-type") return "not(preceding-sibling::" + type + "[1])";
    if (name == "last-of-type") return "not(following-sibling::" + type + "[1])";
    const bool takes_argument = name == "nth-child" || name == "nth-of-type" || name == "not" ||
                                name == "has" || name == "contains";
    if (!takes_argument) {
      return Fault(":" + name +
                   " is none that is known: :first-child, :last-child, :only-child, :nth-child(), "
                   ":first-of-type, :last-of-type, :nth-of-type(), :empty, :not(), :has(), "
                   ":contains(); expected one of them before");
    }
    if (!Take('(')) return Fault("expected ( after :" + name);
    SkipBlanks();
    std::string condition;
    if (name == "not" || name == "has") {
      if (++depth_ > kDepthMax) return Fault("expected fewer selectors within each other");
      CALVE_ASSIGN_OR_RETURN(condition, name == "has" ? ParseList() : ParseNot());
      --depth_;
    } else if (name == "contains") {
      CALVE_ASSIGN_OR_RETURN(const std::string text, ParseValue());
      condition = "contains(normalize-space(.), " + Literal(text) + ")";
    } else {
      CALVE_ASSIGN_OR_RETURN(condition, ParseNth(of_type ? type : "*"));
    }
    SkipBlanks();
    if (!Take(')')) return Fault("expected )");
    return condition;
  }

  Result<std::string> ParseNot() {
    std::string condition;
    do {
      SkipBlanks();
      CALVE_ASSIGN_OR_RETURN(const Compound compound, ParseCompound());
      condition +=
          (condition.empty() ? "" : " | ") + ("self::" + compound.name) + compound.conditions;
      SkipBlanks();
    } while (Take(','));
    return "not(" + condition + ")";
  }

  /// odd, even, 3, 2n+1, -n+3
  Result<std::string> ParseNth(const std::string& type) {
    std::string formula;
    while (at_ < text_.size() && text_[at_] != ')') {
      if (!IsBlank(text_[at_])) formula += text_[at_];
      ++at_;
    }
    formula = ToLower(formula);
    if (formula == "odd") formula = "2n+1";
    if (formula == "even") formula = "2n";
    const size_t n = formula.find('n');
    std::optional<int64_t> step = 0;
    std::string rest = formula;
    if (n != std::string::npos) {
      std::string factor = formula.substr(0, n);
      if (factor.starts_with('+')) factor.erase(0, 1);
      step = factor.empty() ? 1 : factor == "-" ? -1 : ParseInteger(factor);
      rest = formula.substr(n + 1);
    }
    if (rest.starts_with('+')) rest.erase(0, 1);
    const std::optional<int64_t> offset =
        rest.empty() && n != std::string::npos ? 0 : ParseInteger(rest);
    if (!step.has_value() || !offset.has_value() || std::abs(*step) > 1'000'000 ||
        std::abs(*offset) > 1'000'000)
      return Fault("expected a number, odd, even, or such as 2n+1 before");
    const std::string place = "(count(preceding-sibling::" + type + ") + 1)";
    const std::string first = std::to_string(*offset);
    if (*step == 0) return place + " = " + first;
    if (*step > 0) {
      return place + " >= " + first + " and (" + place + " - " + first + ") mod " +
             std::to_string(*step) + " = 0";
    }
    return place + " <= " + first + " and (" + first + " - " + place + ") mod " +
           std::to_string(-*step) + " = 0";
  }

  const std::string_view text_;
  size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

Result<std::string> CssToXPath(std::string_view selector) {
  const std::string trimmed(Trim(selector));
  if (trimmed.empty())
    return ConfigError("a CSS selector has no text; write one such as table.prices");
  return CssParser(trimmed).Parse();
}

}  // namespace calve::source::web_scraper
