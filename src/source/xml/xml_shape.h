#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace calve::source::xml {

/// What stands at one place of the records: the record itself, or an element or attribute in it.
struct XmlPlace {
  size_t number = 0;       ///< Of the places of one shape.
  bool repeats = false;    ///< Several stand beside each other: a list.
  bool is_nested = false;  ///< It has attributes or elements: a struct.
  std::vector<std::pair<int, std::unique_ptr<XmlPlace>>> below;  ///< By the number of the name.

  const XmlPlace* Find(int name) const {
    for (const auto& [number_of, place] : below) {
      if (number_of == name) return place.get();
    }
    return nullptr;
  }
};

/// The names and places that a sample has shown. Filled by one thread, then read by any.
class XmlShape {
 public:
  static constexpr size_t kPlacesMax = 10'000;

  XmlPlace& root() { return root_; }
  const XmlPlace& root() const { return root_; }
  size_t places() const { return places_; }

  /// The number of a name; -1: it is not known.
  int Find(std::string_view name) const {
    const auto known = numbers_.find(name);
    return known == numbers_.end() ? -1 : known->second;
  }
  int Add(std::string_view name) {
    if (const int known = Find(name); known >= 0) return known;
    const int number = static_cast<int>(names_.size());
    names_.push_back(std::make_unique<std::string>(name));
    numbers_.emplace(*names_.back(), number);
    return number;
  }
  XmlPlace& Below(XmlPlace& place, int name) {
    for (const auto& [number, below] : place.below) {
      if (number == name) return *below;
    }
    place.below.emplace_back(name, std::make_unique<XmlPlace>());
    place.below.back().second->number = places_++;
    return *place.below.back().second;
  }
  /// Let the element at a path, as "items.item", be a list.
  void AddList(std::string_view path) {
    XmlPlace* place = &root_;
    while (!path.empty()) {
      const size_t end = std::min(path.find('.'), path.size());
      place = &Below(*place, Add(path.substr(0, end)));
      path.remove_prefix(std::min(end + 1, path.size()));
    }
    place->repeats = true;
  }

 private:
  XmlPlace root_{.number = 0, .repeats = false, .is_nested = true, .below = {}};
  size_t places_ = 1;
  std::vector<std::unique_ptr<std::string>> names_;
  std::unordered_map<std::string_view, int> numbers_;
};

}  // namespace calve::source::xml
