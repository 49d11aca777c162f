#include "config/description.h"

#include <fmt/format.h>

#include "config/option.h"

namespace calve::config {

namespace {

using Form = TypeDescription::Form;

std::string Range(const TypeDescription& type) {
  if (type.min.has_value() && type.max.has_value())
    return fmt::format(" from {} to {}", type.min_text, type.max_text);
  if (type.min.has_value()) return " of at least " + type.min_text;
  if (type.max.has_value()) return " of at most " + type.max_text;
  return "";
}

std::string OneOf(const TypeDescription& type) {
  std::string text = "one of ";
  for (size_t i = 0; i < type.names.size(); ++i) text += (i == 0 ? "" : ", ") + type.names[i].name;
  return text;
}

/// The plural of an item, without article, for lists and maps.
std::string Plural(const TypeDescription& item) {
  switch (item.form) {
    case Form::kBool:
      return "true and false";
    case Form::kInteger:
      return "whole numbers" + Range(item);
    case Form::kNumber:
      return "numbers" + Range(item);
    case Form::kText:
      return "texts";
    case Form::kCharacter:
      return "characters";
    case Form::kName:
      return OneOf(item).substr(7);
    case Form::kDuration:
      return "durations" + Range(item);
    case Form::kBytes:
      return "sizes" + Range(item);
    case Form::kFraction:
      return "shares" + Range(item);
    case Form::kList:
      return "lists of " + Plural(*item.item);
    case Form::kMap:
      return "mappings of names to " + Plural(*item.item);
    case Form::kShape:
      return item.shape().noun + " mappings";
    case Form::kPart:
      return item.parts->noun + " mappings";
    case Form::kAny:
      return "any values";
  }
  return "";
}

}  // namespace

std::string WithArticle(const std::string& noun) {
  const bool vowel =
      !noun.empty() && std::string_view("aeioAEIO").find(noun[0]) != std::string_view::npos;
  return (vowel ? "an " : "a ") + noun;
}

std::string ToPhrase(const TypeDescription& type) {
  switch (type.form) {
    case Form::kBool:
      return "true or false";
    case Form::kInteger:
      return "a whole number" + Range(type);
    case Form::kNumber:
      return "a number" + Range(type);
    case Form::kText:
      return "a text";
    case Form::kCharacter:
      return "one character";
    case Form::kName:
      return OneOf(type);
    case Form::kDuration:
      return "a duration" + Range(type) + " such as 30s, 5m or 2d";
    case Form::kBytes:
      return "a size" + Range(type) + " such as 64MB or 1GiB";
    case Form::kFraction:
      return "a share" + Range(type) + " such as 0.5 or 50%";
    case Form::kList:
      return "a list of " + Plural(*type.item);
    case Form::kMap:
      return "a mapping of names to " + Plural(*type.item);
    case Form::kShape:
      return WithArticle(type.shape().noun);
    case Form::kPart:
      return WithArticle(type.parts->noun);
    case Form::kAny:
      return "any value";
  }
  return "";
}

}  // namespace calve::config
