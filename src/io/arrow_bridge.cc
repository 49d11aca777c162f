#include "io/arrow_bridge.h"

#include <arrow/buffer.h>
#include <arrow/memory_pool.h>
#include <arrow/result.h>

#include <algorithm>
#include <utility>

#include "base/error_carrier.h"

namespace calve::io {
namespace {

constexpr char kDetailType[] = "calve::Error";

class ErrorDetail : public arrow::StatusDetail, public ErrorCarrier {
 public:
  explicit ErrorDetail(Error error) : error_(std::move(error)) {}
  const char* type_id() const override { return kDetailType; }
  std::string ToString() const override { return std::string(calve::ToString(error_.kind)); }
  const Error& carried_error() const override { return error_; }

 private:
  Error error_;
};

/// Allocate `length` bytes of Arrow's pool, let `read` fill them and keep what it filled.
template <typename Read>
arrow::Result<std::shared_ptr<arrow::Buffer>> ReadBuffer(int64_t length, Read&& read) {
  ARROW_ASSIGN_OR_RAISE(std::unique_ptr<arrow::ResizableBuffer> buffer,
                        arrow::AllocateResizableBuffer(length));
  ARROW_ASSIGN_OR_RAISE(const int64_t got, read(length, buffer->mutable_data()));
  if (got != length) ARROW_RETURN_NOT_OK(buffer->Resize(got));
  buffer->ZeroPadding();
  return std::shared_ptr<arrow::Buffer>(std::move(buffer));
}

class FileForArrow : public arrow::io::RandomAccessFile {
 public:
  explicit FileForArrow(std::shared_ptr<InputFile> file) : file_(std::move(file)) {
    set_mode(arrow::io::FileMode::READ);
  }

  arrow::Result<int64_t> GetSize() override { return file_->size().value(); }

  arrow::Result<int64_t> ReadAt(int64_t position, int64_t nbytes, void* out) override {
    if (closed_) return arrow::Status::Invalid("the file is closed");
    if (position < 0 || nbytes < 0) return arrow::Status::Invalid("a negative offset or length");
    // A corrupt footer may ask for any length: never for more than the file has.
    const int64_t there = std::max<int64_t>(0, file_->size().value() - position);
    const std::span<char> into(static_cast<char*>(out),
                               static_cast<size_t>(std::min(nbytes, there)));
    auto got = file_->ReadInto(position, into);
    if (!got.ok()) return ToArrowStatus(got.error());
    return static_cast<int64_t>(*got);
  }

  arrow::Result<std::shared_ptr<arrow::Buffer>> ReadAt(int64_t position, int64_t nbytes) override {
    const int64_t there = std::max<int64_t>(0, file_->size().value() - position);
    return ReadBuffer(std::min(nbytes, there),
                      [&](int64_t length, uint8_t* out) { return ReadAt(position, length, out); });
  }

  arrow::Result<int64_t> Read(int64_t nbytes, void* out) override {
    ARROW_ASSIGN_OR_RAISE(const int64_t got, ReadAt(position_, nbytes, out));
    position_ += got;
    return got;
  }

  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t nbytes) override {
    ARROW_ASSIGN_OR_RAISE(auto buffer, ReadAt(position_, nbytes));
    position_ += buffer->size();
    return buffer;
  }

  arrow::Status Seek(int64_t position) override {
    if (position < 0) return arrow::Status::Invalid("a negative offset");
    position_ = position;
    return arrow::Status::OK();
  }

  arrow::Result<int64_t> Tell() const override { return position_; }
  bool closed() const override { return closed_; }
  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }

 private:
  std::shared_ptr<InputFile> file_;
  int64_t position_ = 0;
  bool closed_ = false;
};

class StreamForArrow : public arrow::io::InputStream {
 public:
  explicit StreamForArrow(std::unique_ptr<calve::io::InputStream> stream)
      : stream_(std::move(stream)) {
    set_mode(arrow::io::FileMode::READ);
  }

  arrow::Result<int64_t> Read(int64_t nbytes, void* out) override {
    if (closed_) return arrow::Status::Invalid("the stream is closed");
    int64_t filled = 0;
    while (filled < nbytes) {  // Arrow takes a short read for the end
      const std::span<char> into(static_cast<char*>(out) + filled,
                                 static_cast<size_t>(nbytes - filled));
      auto got = stream_->Read(into);
      if (!got.ok()) return ToArrowStatus(got.error());
      if (*got == 0) break;
      filled += static_cast<int64_t>(*got);
    }
    position_ += filled;
    return filled;
  }

  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t nbytes) override {
    return ReadBuffer(nbytes, [&](int64_t length, uint8_t* out) { return Read(length, out); });
  }

  arrow::Result<int64_t> Tell() const override { return position_; }
  bool closed() const override { return closed_; }
  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }

 private:
  std::unique_ptr<calve::io::InputStream> stream_;
  int64_t position_ = 0;
  bool closed_ = false;
};

class OutputForArrow : public arrow::io::OutputStream {
 public:
  explicit OutputForArrow(OutputFile& file) : file_(file) { set_mode(arrow::io::FileMode::WRITE); }

  using arrow::io::OutputStream::Write;
  arrow::Status Write(const void* data, int64_t nbytes) override {
    if (closed_) return arrow::Status::Invalid("the stream is closed");
    Status written = file_.Write({static_cast<const char*>(data), static_cast<size_t>(nbytes)});
    return written.ok() ? arrow::Status::OK() : ToArrowStatus(written.error());
  }

  arrow::Result<int64_t> Tell() const override { return file_.position().value(); }
  bool closed() const override { return closed_; }
  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }

 private:
  OutputFile& file_;
  bool closed_ = false;
};

}  // namespace

std::shared_ptr<arrow::io::RandomAccessFile> ToArrow(std::shared_ptr<InputFile> file) {
  return std::make_shared<FileForArrow>(std::move(file));
}

std::shared_ptr<arrow::io::InputStream> ToArrow(std::unique_ptr<InputStream> stream) {
  return std::make_shared<StreamForArrow>(std::move(stream));
}

std::shared_ptr<arrow::io::OutputStream> ToArrow(OutputFile& file) {
  return std::make_shared<OutputForArrow>(file);
}

arrow::Status ToArrowStatus(const Error& error) {
  return arrow::Status(arrow::StatusCode::IOError, error.message,
                       std::make_shared<ErrorDetail>(error));
}

std::optional<Error> ErrorOf(const arrow::Status& status) {
  if (status.ok() || status.detail() == nullptr) return std::nullopt;
  const auto* carrier = dynamic_cast<const ErrorCarrier*>(status.detail().get());
  return carrier == nullptr ? std::nullopt : std::optional<Error>(carrier->carried_error());
}

}  // namespace calve::io
