#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "avro/decoder.h"
#include "avro/schema.h"

namespace calve::avro {

/// A field that a reader wants of a record.
struct Want {
  int32_t field_id;            ///< Matched with the attribute `field-id`.
  int slot;                    ///< The caller's own number for it, given back to its visitor.
  std::string_view name = {};  ///< Matched instead when the record has no field ids at all.
};

/// The fast way through records: says once, for a writer's record, which fields to read and which
/// to skip, and then hands each wanted value's place to a visitor, in the writer's order.
///
///     static constexpr Want kWants[] = {{0, kStatus}, {1, kSnapshotId}, {2, kDataFile}};
///     const Projection entry = Projection::Of(schema.root(), kWants);
///     entry.Read(decoder, [&](const Projection::Item& item, Decoder& d) {
///       switch (item.slot) {
///         case kStatus: out.status = d.ReadInt(); break;
///         case kDataFile: data_file.Read(d, ...); break;   // a Projection of *item.type
///       }
///     });
///
/// A field whose type is a union of null and one type is visited only when it is not null, with the
/// decoder past the branch; of any other union the visitor gets the union. The visitor must read
/// exactly one value of `item.type` (ReadLong reads int and long alike) or call Skip on it. A
/// wanted field that the record lacks is never visited: see Has(). Immutable after Of(); the schema
/// must outlive it. Threads: any may read.
class Projection {
 public:
  struct Item {
    int slot = -1;               ///< -1: skip it.
    const Node* type = nullptr;  ///< What lies there; for an optional field, the type beside null.
    int8_t null_branch = -1;  ///< The branch that is null of an optional field; -1: not optional.
  };

  Projection() = default;
  /// Compile for a record of the writer's schema; `record` may be an optional record too, of which
  /// the record is taken. Any other node, and null, gives a projection that reads nothing.
  static Projection Of(const Node* record, std::span<const Want> wants);

  /// Whether the record has the field wanted for `slot`.
  bool Has(int slot) const { return TypeOf(slot) != nullptr; }
  /// The type of the field wanted for `slot` (beside null, if optional); null when absent.
  const Node* TypeOf(int slot) const;
  /// All steps in the writer's order; runs of varints and of constant bytes are merged.
  bool empty() const { return steps_.empty(); }

  /// Read one record: visit(item, decoder) for each wanted field that is there and not null.
  template <typename Visit>
  void Read(Decoder& decoder, Visit&& visit) const {
    for (const Step& step : steps_) {
      switch (step.action) {
        case Action::kVisit:
          visit(step.item, decoder);
          break;
        case Action::kVisitOptional:
          if (decoder.ReadIndex(2) != static_cast<size_t>(step.item.null_branch)) {
            if (!decoder.ok()) [[unlikely]]
              return;
            visit(step.item, decoder);
          }
          break;
        case Action::kSkip:
          Skip(*step.item.type, decoder);
          break;
        case Action::kSkipVarints:
          decoder.SkipVarints(step.amount);
          break;
        case Action::kSkipBytes:
          decoder.SkipFixed(step.amount);
          break;
      }
    }
  }

 private:
  enum class Action : uint8_t { kVisit, kVisitOptional, kSkip, kSkipVarints, kSkipBytes };
  struct Step {
    Action action;
    Item item;
    uint64_t amount = 0;
  };

  void AppendSkip(const Node& type);

  std::vector<Step> steps_;
};

}  // namespace calve::avro
