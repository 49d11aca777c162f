#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <type_traits>

namespace calve::source::postgresql {

/// A number in network order; its bytes are there.
template <typename Number>
inline Number LoadNumber(const char* bytes) {
  std::make_unsigned_t<Number> bits{};
  std::memcpy(&bits, bytes, sizeof(bits));
  if constexpr (sizeof(bits) == 2) bits = __builtin_bswap16(bits);
  if constexpr (sizeof(bits) == 4) bits = __builtin_bswap32(bits);
  if constexpr (sizeof(bits) == 8) bits = __builtin_bswap64(bits);
  return static_cast<Number>(bits);
}

/// A number in network order that takes a whole value.
template <typename Number>
inline std::optional<Number> ReadNumber(std::string_view value) {
  if (value.size() != sizeof(Number)) [[unlikely]]
    return std::nullopt;
  return LoadNumber<Number>(value.data());
}
static_assert(std::endian::native == std::endian::little, "the wire is in the other order");

/// Takes a message of the server apart. Nothing is given beyond its end.
class WireReader {
 public:
  explicit WireReader(std::string_view message) : rest_(message) {}

  template <typename N>
  std::optional<N> Number() {
    if (rest_.size() < sizeof(N)) [[unlikely]]
      return std::nullopt;
    const auto number = ReadNumber<N>(rest_.substr(0, sizeof(N)));
    rest_.remove_prefix(sizeof(N));
    return number;
  }
  /// A value behind its length; without data where it is NULL.
  std::optional<std::string_view> Value() {
    const auto size = Number<int32_t>();
    if (!size.has_value()) return std::nullopt;
    if (*size == -1) return std::string_view();
    if (*size < 0 || static_cast<size_t>(*size) > rest_.size()) return std::nullopt;
    const std::string_view value = rest_.substr(0, static_cast<size_t>(*size));
    rest_.remove_prefix(value.size());
    return value;
  }
  bool Skip(size_t bytes) {
    if (bytes > rest_.size()) return false;
    rest_.remove_prefix(bytes);
    return true;
  }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

}  // namespace calve::source::postgresql
