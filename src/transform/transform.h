#pragma once

#include <arrow/type.h>

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/context.h"
#include "base/registry.h"
#include "base/result.h"
#include "columnar/traced_batch.h"
#include "config/option.h"

namespace calve::engine {
class Engine;
}

namespace calve::transform {

/// Batch in, batch out. One object serves one thread; the pipeline makes one per split.
class Transform {
 public:
  virtual ~Transform() = default;
  /// The schema of what comes out; the same for every batch.
  virtual const std::shared_ptr<arrow::Schema>& schema() const = 0;
  /// Change one batch. Rows that cannot be changed as asked become rejects with their origin; rows are counted: rows out + rejects added + rows
  /// dropped = rows in, unless the transform makes rows (sql with UNNEST or GROUP BY), which it says in `makes_rows`.
  virtual Result<columnar::TracedBatch> Apply(const Context& context, columnar::TracedBatch batch) = 0;
  virtual bool makes_rows() const { return false; }
};

struct Resources {
  engine::Engine* engine = nullptr;
};

struct Kind {
  std::string type;     ///< "column_mapping"
  std::string meaning;  ///< One sentence.
  config::Part part;
  /// Make one for batches of `input`. Fails with kConfig naming columns that are not there and the nearest ones.
  std::function<Result<std::unique_ptr<Transform>>(const Context& context, const config::Node& options,
                                                   const std::shared_ptr<arrow::Schema>& input, const Resources& resources)>
      make;
};

class Registry {
 public:
  void Add(Kind kind);
  const Kind* Find(const std::string& type) const;
  const std::map<std::string, Kind>& kinds() const { return kinds_; }
  std::shared_ptr<const config::Parts> parts() const;

 private:
  std::map<std::string, Kind> kinds_;
};

/// Written by the build: calls every CALVE_PART of this room.
void RegisterParts(Registry& registry);

}  // namespace calve::transform
