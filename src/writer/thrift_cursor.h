#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace calve::writer {

/// Types of fields and elements in Thrift's compact protocol.
enum class ThriftType : uint8_t {
  kStop = 0,
  kTrue = 1,
  kFalse = 2,
  kByte = 3,
  kI16 = 4,
  kI32 = 5,
  kI64 = 6,
  kDouble = 7,
  kBinary = 8,
  kList = 9,
  kSet = 10,
  kMap = 11,
  kStruct = 12,
  kUuid = 13,
};

/// Walk over a struct in Thrift's compact protocol, field by field, without knowing what the fields
/// mean. Bytes that are no such struct end the walk with ok() false; nothing beyond them is read.
class ThriftCursor {
 public:
  explicit ThriftCursor(std::string_view bytes) : bytes_(bytes) {}

  struct Field {
    ThriftType type = ThriftType::kStop;
    int16_t id = 0;
    std::string_view value;  ///< Its bytes as encoded; empty for kTrue and kFalse.
  };
  struct ListHeader {
    ThriftType element = ThriftType::kStop;
    uint64_t size = 0;
  };

  bool ok() const { return ok_; }
  size_t position() const { return position_; }

  /// The next field of a struct and its value, which is passed; nothing at the struct's end. `last`
  /// is the id of the field before, 0 at first.
  std::optional<Field> NextField(int16_t last);
  ListHeader ReadListHeader();
  /// A binary's bytes, without their length.
  std::string_view ReadBinary();
  /// Pass one element of a list; give its bytes.
  std::string_view PassElement(ThriftType type) { return Pass(type, true); }

 private:
  uint8_t ReadByte();
  uint64_t ReadVarint();
  std::string_view ReadBytes(uint64_t count);
  std::string_view Pass(ThriftType type, bool is_element);
  void PassList();
  void PassMap();
  void PassStruct();
  void Fail();

  const std::string_view bytes_;
  size_t position_ = 0;
  int depth_ = 0;
  bool ok_ = true;
};

/// Writes the fields of one struct in Thrift's compact protocol. Ids ascend or not.
class ThriftStruct {
 public:
  /// A field whose value is encoded already.
  void Add(const ThriftCursor::Field& field);
  void AddI32(int16_t id, int32_t value);
  /// The struct with its end.
  std::string Finish();

 private:
  void AddHeader(ThriftType type, int16_t id);

  std::string bytes_;
  int16_t last_ = 0;
};

/// The header of a list.
std::string EncodeListHeader(const ThriftCursor::ListHeader& header);

}  // namespace calve::writer
