#pragma once

#include <memory>
#include <vector>

#include "avro/decoder.h"
#include "avro/schema.h"
#include "avro/value.h"
#include "base/result.h"

namespace calve::avro {

/// How a reader's fields find the writer's.
enum class MatchFields {
  kByName,     ///< Avro spec, Schema Resolution: names, then the reader's aliases.
  kByFieldId,  ///< Iceberg spec, Column Projection: the attribute `field-id`; names mean nothing.
};

struct ResolvePlan;

/// Reads values that one schema wrote as another schema says.
///
/// Promotes int to long, float and double, long to float and double, float to double, string to
/// bytes and back; takes defaults for fields that the writer lacks, skips fields that the reader
/// lacks, resolves unions at each value. A decimal may gain precision, never change its scale.
/// By field id, an absent field without default is null when its type is a union with null.
/// Immutable; keeps pointers into both schemas, which outlive it. Threads: any may read.
class Resolver {
 public:
  /// Compile. Fails with kData when no value of `writer` could be read as `reader`, and says where.
  static Result<Resolver> Compile(const Node& writer, const Node& reader,
                                  MatchFields match = MatchFields::kByName);

  Resolver(Resolver&&) noexcept;
  Resolver& operator=(Resolver&&) noexcept;
  ~Resolver();

  /// Read one value. Fails with kData: corrupt bytes, or a union branch or enum symbol that the
  /// reader does not have.
  Result<Value> Read(Decoder& decoder) const;

 private:
  using Plans = std::vector<std::unique_ptr<ResolvePlan>>;
  Resolver(Plans plans, const ResolvePlan* root);

  Plans plans_;
  const ResolvePlan* root_;
};

}  // namespace calve::avro
