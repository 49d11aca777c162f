#pragma once

#include <arrow/array.h>
#include <arrow/array/builder_base.h>
#include <arrow/builder.h>
#include <arrow/extension_type.h>
#include <arrow/type.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "columnar/arrow_status.h"

namespace calve::source {

/// Turns the values of one column, as a server sends them, into an array. For one thread.
class ValueDecoder {
 public:
  virtual ~ValueDecoder() = default;
  virtual arrow::ArrayBuilder& builder() = 0;
  /// Append one value, for which Reserve made room; false when the type cannot hold it: a null is
  /// there then. What fails for other reasons is told by Finish.
  virtual bool Append(std::string_view value) = 0;
  /// Say of a value that Append refused how the server prints it, and why it does not fit.
  virtual void Explain(std::string_view value, std::string* text, std::string* reason) const = 0;
  virtual Result<std::shared_ptr<arrow::Array>> Finish();

  Status Reserve(int64_t rows);
  void AppendNull();

 protected:
  void Note(const arrow::Status& status);
  Status failed_;
};

/// Values of a fixed size in the builder. `Read` gives what the builder appends for a value,
/// nothing where there is none; `Say` is Explain.
template <typename Builder, typename Read, typename Say>
class FixedDecoder : public ValueDecoder {
 public:
  FixedDecoder(const std::shared_ptr<arrow::DataType>& type, Read read, Say say)
      : builder_(type, arrow::default_memory_pool()),
        read_(std::move(read)),
        say_(std::move(say)) {}
  arrow::ArrayBuilder& builder() override { return builder_; }

  bool Append(std::string_view value) override {
    const auto found = read_(value);
    if (!found.has_value()) [[unlikely]] {
      builder_.UnsafeAppendNull();
      return false;
    }
    builder_.UnsafeAppend(*found);
    return true;
  }
  void Explain(std::string_view value, std::string* text, std::string* reason) const override {
    say_(value, text, reason);
  }

 private:
  Builder builder_;
  const Read read_;
  const Say say_;
};

template <typename Builder, typename Read, typename Say>
std::unique_ptr<ValueDecoder> MakeFixedDecoder(const std::shared_ptr<arrow::DataType>& type,
                                               Read read, Say say) {
  return std::make_unique<FixedDecoder<Builder, Read, Say>>(type, std::move(read), std::move(say));
}

/// Texts and bytes, behind `skipped` bytes that are not of the value.
template <typename Builder>
class BytesDecoder : public ValueDecoder {
 public:
  struct Options {
    size_t skipped = 0;
    bool check = false;            ///< Refuse what is not UTF-8.
    std::string hint = "mend it";  ///< What to do about such a value.
  };
  explicit BytesDecoder(Options options) : options_(std::move(options)) {}
  arrow::ArrayBuilder& builder() override { return builder_; }
  bool Append(std::string_view value) override;
  void Explain(std::string_view value, std::string* text, std::string* reason) const override;

 private:
  Builder builder_;
  const Options options_;
};
using TextDecoder = BytesDecoder<arrow::StringBuilder>;
using BinaryDecoder = BytesDecoder<arrow::BinaryBuilder>;
extern template class BytesDecoder<arrow::StringBuilder>;
extern template class BytesDecoder<arrow::BinaryBuilder>;

/// Decimals out of their texts, exactly; `hint` is what to do about one with more digits.
std::unique_ptr<ValueDecoder> MakeDecimalDecoder(const std::shared_ptr<arrow::DataType>& type,
                                                 std::string hint);

/// Uuids, whose 16 bytes `Read` gives as a pointer; null where a value is none.
template <typename Read, typename Say>
class UuidDecoder : public ValueDecoder {
 public:
  UuidDecoder(std::shared_ptr<arrow::DataType> type, Read read, Say say)
      : type_(std::move(type)),
        builder_(arrow::fixed_size_binary(16)),
        read_(std::move(read)),
        say_(std::move(say)) {}
  arrow::ArrayBuilder& builder() override { return builder_; }

  bool Append(std::string_view value) override {
    const auto found = read_(value);
    if (!found.has_value()) {
      builder_.UnsafeAppendNull();
      return false;
    }
    builder_.UnsafeAppend(reinterpret_cast<const uint8_t*>(found->data()));
    return true;
  }
  void Explain(std::string_view value, std::string* text, std::string* reason) const override {
    say_(value, text, reason);
  }
  Result<std::shared_ptr<arrow::Array>> Finish() override {
    CALVE_ASSIGN_OR_RETURN(auto bytes, ValueDecoder::Finish());
    if (type_->id() != arrow::Type::EXTENSION) return bytes;
    return arrow::ExtensionType::WrapArray(type_, bytes);
  }

 private:
  const std::shared_ptr<arrow::DataType> type_;
  arrow::FixedSizeBinaryBuilder builder_;
  const Read read_;
  const Say say_;
};

template <typename Read, typename Say>
std::unique_ptr<ValueDecoder> MakeUuidDecoder(std::shared_ptr<arrow::DataType> type, Read read,
                                              Say say) {
  return std::make_unique<UuidDecoder<Read, Say>>(std::move(type), std::move(read), std::move(say));
}

}  // namespace calve::source
