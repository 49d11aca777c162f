#include <utility>
#include <vector>

#include "transform/column_mapping.h"
#include "transform/registry.h"
#include "transform/type_conversion.h"
#include "transform/validation.h"

namespace calve::transform {
namespace {

struct BaseOptions : TypeConversionOptions, ColumnMappingOptions, ValidationOptions {
  static config::Shape<BaseOptions> Declaration() {
    config::Shape<BaseOptions> shape(
        "base transformer",
        "type_conversion, then column_mapping, then validation, with the keys of all three.");
    shape.Include(TypeConversionOptions::Declaration());
    shape.Include(ColumnMappingOptions::Declaration());
    shape.Include(ValidationOptions::Declaration());
    return shape;
  }
};

/// Several transforms as one.
class Chain : public Transform {
 public:
  explicit Chain(std::vector<std::unique_ptr<Transform>> transforms)
      : transforms_(std::move(transforms)) {}
  const std::shared_ptr<arrow::Schema>& schema() const override {
    return transforms_.back()->schema();
  }
  Result<columnar::TracedBatch> Apply(const Context& context,
                                      columnar::TracedBatch batch) override {
    for (const auto& transform : transforms_) {
      CALVE_ASSIGN_OR_RETURN(batch, transform->Apply(context, std::move(batch)));
    }
    return batch;
  }

 private:
  const std::vector<std::unique_ptr<Transform>> transforms_;
};

}  // namespace

CALVE_PART(base) {
  registry.Add(
      {.type = "base",
       .meaning = "type_conversion, column_mapping and validation in one",
       .part = config::MakePart<BaseOptions>("base"),
       .make = [](const Context& context, const config::Node& node,
                  const std::shared_ptr<arrow::Schema>& input,
                  const Resources& resources) -> Result<std::unique_ptr<Transform>> {
         CALVE_ASSIGN_OR_RETURN(const BaseOptions options, BaseOptions::Declaration().Parse(node));
         std::vector<std::unique_ptr<Transform>> transforms;
         CALVE_ASSIGN_OR_RETURN(auto conversion, MakeTypeConversion(options, input));
         CALVE_ASSIGN_OR_RETURN(auto mapping, MakeColumnMapping(options, conversion->schema()));
         CALVE_ASSIGN_OR_RETURN(auto validation, MakeValidation(context, options, mapping->schema(),
                                                                *resources.engine));
         transforms.push_back(std::move(conversion));
         transforms.push_back(std::move(mapping));
         transforms.push_back(std::move(validation));
         return std::make_unique<Chain>(std::move(transforms));
       }});
}

}  // namespace calve::transform
