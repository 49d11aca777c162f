#include "catalog/rest/json_members.h"

#include "base/text.h"

namespace calve::catalog {
namespace {

/// Walks over a text; past its end everything reads as NUL.
class Walk {
 public:
  explicit Walk(std::string_view text) : text_(text) {}

  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool Ended() const { return at_ >= text_.size(); }
  size_t at() const { return at_; }

  void SkipBlank() {
    while (Peek() == ' ' || Peek() == '\t' || Peek() == '\n' || Peek() == '\r') ++at_;
  }
  bool Take(char c) {
    SkipBlank();
    if (Peek() != c) return false;
    ++at_;
    return true;
  }
  /// Behind the closing quote of the string that begins here.
  void SkipString() {
    for (++at_; !Ended() && Peek() != '"'; ++at_) {
      if (Peek() == '\\') ++at_;
    }
    ++at_;
  }
  /// Behind the value that begins here.
  void SkipValue() {
    int depth = 0;
    while (!Ended()) {
      const char c = Peek();
      if (depth == 0 && (c == ',' || c == '}' || c == ']')) return;
      if (c == '"') {
        SkipString();
        continue;
      }
      if (c == '{' || c == '[') ++depth;
      if (c == '}' || c == ']') --depth;
      ++at_;
    }
  }

 private:
  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

Result<std::map<std::string, std::string_view>> JsonMembers(std::string_view text) {
  Walk walk(text);
  std::map<std::string, std::string_view> members;
  if (!walk.Take('{'))
    return DataError("expected a JSON object, found " + Quote(text.substr(0, 40)));
  if (walk.Take('}')) return members;
  do {
    walk.SkipBlank();
    const size_t key = walk.at();
    if (walk.Peek() != '"') break;
    walk.SkipString();
    const size_t key_end = walk.at();
    if (!walk.Take(':')) break;
    walk.SkipBlank();
    const size_t value = walk.at();
    walk.SkipValue();
    if (walk.Ended()) break;
    members.insert_or_assign(std::string(text.substr(key + 1, key_end - key - 2)),
                             Trim(text.substr(value, walk.at() - value)));
    if (walk.Take('}')) return members;
  } while (walk.Take(','));
  return DataError("expected a whole JSON object, found one that breaks off at offset " +
                   std::to_string(walk.at()));
}

}  // namespace calve::catalog
