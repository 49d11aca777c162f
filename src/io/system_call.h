#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace calve::io {

/// A file descriptor that closes itself. Move only.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.Release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();

  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }
  int Release();
  /// Close now; false with errno set when the system reports a failed write.
  bool Close();

 private:
  int fd_ = -1;
};

/// The error of a failed system call: "cannot <doing> <path>: <what the system said>[; <advice>]".
Error SystemError(int error_number, std::string_view doing, std::string_view path);

/// Make a file without a name where temporary files lie, gone when it is closed.
Result<Descriptor> OpenSpool();

/// Write all of `bytes`, going on after interruptions and short writes. False with errno set on
/// failure.
bool WriteFully(int fd, std::string_view bytes);

/// Fill `out` from `offset` on, going on after interruptions and short reads; less only at the end.
Result<size_t> ReadFully(int fd, int64_t offset, std::span<char> out, std::string_view path);

}  // namespace calve::io
