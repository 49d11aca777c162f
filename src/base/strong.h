#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <ostream>

namespace calve {

/// A number that cannot be mistaken for another one: ids and counts are types.
///
/// Ids compare and hash; counts also add. `Tag` keeps the kinds apart and never needs a definition.
template <typename Tag, typename Rep>
class Strong {
 public:
  using rep = Rep;
  constexpr Strong() = default;
  constexpr explicit Strong(Rep value) : value_(value) {}
  constexpr Rep value() const { return value_; }
  constexpr auto operator<=>(const Strong&) const = default;
  constexpr Strong& operator+=(Strong other) {
    value_ += other.value_;
    return *this;
  }
  constexpr Strong& operator-=(Strong other) {
    value_ -= other.value_;
    return *this;
  }
  friend constexpr Strong operator+(Strong a, Strong b) { return Strong(a.value_ + b.value_); }
  friend constexpr Strong operator-(Strong a, Strong b) { return Strong(a.value_ - b.value_); }
  friend std::ostream& operator<<(std::ostream& out, Strong s) { return out << s.value_; }

 private:
  Rep value_{};
};

using RowCount = Strong<struct RowCountTag, int64_t>;
using ByteCount = Strong<struct ByteCountTag, int64_t>;

}  // namespace calve

template <typename Tag, typename Rep>
struct std::hash<calve::Strong<Tag, Rep>> {
  size_t operator()(calve::Strong<Tag, Rep> s) const noexcept {
    return std::hash<Rep>()(s.value());
  }
};
