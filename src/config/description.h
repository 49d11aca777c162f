#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/yaml.h"

namespace calve::config {

struct ShapeDescription;
struct Parts;

/// One name that an enum option accepts.
struct NameDescription {
  std::string name;
  std::string meaning;
};

/// What a value may be.
struct TypeDescription {
  enum class Form {
    kBool,
    kInteger,
    kNumber,
    kText,
    kCharacter,
    kName,
    kDuration,
    kBytes,
    kFraction,
    kList,
    kMap,
    kShape,
    kPart,
    kAny
  };
  Form form = Form::kText;
  std::vector<NameDescription> names;           ///< kName: what is accepted.
  std::shared_ptr<const TypeDescription> item;  ///< kList, kMap: what each value is.
  std::function<ShapeDescription()>
      shape;  ///< kShape: the keys; lazy, since shapes may contain themselves.
  std::shared_ptr<const Parts> parts;  ///< kPart: what `type` can name.
  std::optional<double> min;           ///< In units, bytes or microseconds.
  std::optional<double> max;
  std::string min_text;  ///< As a person writes it.
  std::string max_text;
};

/// Name a type as a sentence does: "a list of texts", "a whole number from 1 to 65535", "true or
/// false".
std::string ToPhrase(const TypeDescription& type);
/// "a csv source", "an api source".
std::string WithArticle(const std::string& noun);

/// One option of a shape, as declared.
struct OptionDescription {
  std::string key;
  std::string meaning;
  TypeDescription type;
  bool required = false;
  std::optional<Node> default_value;  ///< None: simply unset, empty, or told by default_text.
  std::string default_text;           ///< The default in words, when it is no fixed value.
  std::string environment;            ///< The variable that is taken when the key is not given.
  std::string example;                ///< As written in YAML.
  std::vector<std::string> aliases;   ///< Older keys that are still read.
  bool secret = false;
};

/// All options of one thing, as declared.
struct ShapeDescription {
  std::string noun;     ///< "csv source"
  std::string meaning;  ///< One or two sentences.
  std::vector<OptionDescription> options;
  std::vector<std::vector<std::string>> exactly_one_of;  ///< Groups of keys of which one is given.
  std::vector<std::vector<std::string>>
      at_most_one_of;  ///< Groups of keys of which no two are given.
};

}  // namespace calve::config
