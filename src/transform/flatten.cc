#include <arrow/array/array_nested.h>
#include <arrow/array/builder_binary.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/text.h"
#include "columnar/arrow_status.h"
#include "columnar/row_text.h"
#include "transform/registry.h"

namespace calve::transform {
namespace {

/// What becomes of lists and maps.
enum class Lists { kKeep, kText };
config::Names<Lists> NamesOf(Lists) {
  return {{"keep", Lists::kKeep, "They stay as they are."},
          {"text", Lists::kText, "They become their text in JSON."}};
}

struct FlattenOptions {
  std::vector<std::string> columns;
  std::string separator = "_";
  std::optional<int> depth;
  Lists lists = Lists::kKeep;

  static config::Shape<FlattenOptions> Declaration() {
    config::Shape<FlattenOptions> shape(
        "flatten transformer",
        "Put the fields of structs into columns of their own, in the struct's place: address.city "
        "becomes address_city. Where a struct is NULL, so are they.");
    shape.Optional("columns", &FlattenOptions::columns, "Which columns.",
                   {.example = "[address]", .default_text = "all that are structs"});
    shape.Optional("separator", &FlattenOptions::separator,
                   "What stands between the names of a struct and of its field.");
    shape.Optional("depth", &FlattenOptions::depth,
                   "How many levels are taken apart; a struct below them stays.",
                   {.min = 1, .default_text = "all"});
    shape.Optional("lists", &FlattenOptions::lists,
                   "What becomes of the lists and maps among these columns.");
    return shape;
  }
};

bool IsList(const arrow::DataType& type) {
  return type.id() == arrow::Type::LIST || type.id() == arrow::Type::LARGE_LIST ||
         type.id() == arrow::Type::FIXED_SIZE_LIST || type.id() == arrow::Type::MAP;
}

/// A column that comes out: where it lies in what comes in.
struct Leaf {
  std::string name;
  std::vector<int> path;  ///< The column, and the fields below it.
  std::shared_ptr<arrow::DataType> type;
  bool as_text = false;
};

class Flatten : public Transform {
 public:
  Flatten(std::shared_ptr<arrow::Schema> schema, std::vector<Leaf> leaves)
      : schema_(std::move(schema)), leaves_(std::move(leaves)) {}
  const std::shared_ptr<arrow::Schema>& schema() const override { return schema_; }

  Result<columnar::TracedBatch> Apply(const Context&, columnar::TracedBatch batch) override {
    arrow::ArrayVector arrays;
    for (const Leaf& leaf : leaves_) {
      std::shared_ptr<arrow::Array> array = batch.rows->column(leaf.path.front());
      for (size_t i = 1; i < leaf.path.size(); ++i) {
        const auto& parent = static_cast<const arrow::StructArray&>(*array);
        CALVE_ASSIGN_OR_RETURN(array, parent.GetFlattenedField(leaf.path[i]));
      }
      if (leaf.as_text) {
        CALVE_ASSIGN_OR_RETURN(array, TextOf(*array));
      }
      arrays.push_back(std::move(array));
    }
    batch.rows = arrow::RecordBatch::Make(schema_, batch.rows->num_rows(), std::move(arrays));
    return batch;
  }

 private:
  static Result<std::shared_ptr<arrow::Array>> TextOf(const arrow::Array& array) {
    arrow::StringBuilder texts;
    for (int64_t row = 0; row < array.length(); ++row) {
      CALVE_RETURN_IF_ERROR(array.IsNull(row) ? texts.AppendNull()
                                              : texts.Append(columnar::CellJson(array, row)));
    }
    std::shared_ptr<arrow::Array> done;
    CALVE_RETURN_IF_ERROR(texts.Finish(&done));
    return done;
  }

  const std::shared_ptr<arrow::Schema> schema_;
  const std::vector<Leaf> leaves_;
};

/// Add what becomes of a column, or of a field `level` levels below one.
void AddLeaves(const FlattenOptions& options, Leaf place, int level, std::vector<Leaf>* leaves) {
  const bool deeper = !options.depth.has_value() || level < *options.depth;
  if (place.type->id() == arrow::Type::STRUCT && deeper && place.type->num_fields() > 0) {
    for (int i = 0; i < place.type->num_fields(); ++i) {
      Leaf field{.name = place.name + options.separator + place.type->field(i)->name(),
                 .path = place.path,
                 .type = place.type->field(i)->type()};
      field.path.push_back(i);
      AddLeaves(options, std::move(field), level + 1, leaves);
    }
    return;
  }
  if (options.lists == Lists::kText && IsList(*place.type)) {
    place.as_text = true;
    place.type = arrow::utf8();
  }
  leaves->push_back(std::move(place));
}

Result<std::unique_ptr<Transform>> MakeFlatten(const FlattenOptions& options,
                                               const std::shared_ptr<arrow::Schema>& input) {
  const std::vector<std::string> known = input->field_names();
  for (const std::string& column : options.columns) {
    if (std::find(known.begin(), known.end(), column) == known.end()) {
      return ConfigError("flatten: columns names a column '" + column + "', which is not there" +
                         DidYouMean(column, known));
    }
  }
  std::vector<Leaf> leaves;
  for (int i = 0; i < input->num_fields(); ++i) {
    const auto& field = input->field(i);
    Leaf column{.name = field->name(), .path = {i}, .type = field->type()};
    const bool named = options.columns.empty() ||
                       std::find(options.columns.begin(), options.columns.end(), field->name()) !=
                           options.columns.end();
    if (named) {
      AddLeaves(options, std::move(column), 0, &leaves);
    } else {
      leaves.push_back(std::move(column));
    }
  }
  arrow::FieldVector fields;
  std::set<std::string> seen;
  for (const Leaf& leaf : leaves) {
    if (!seen.insert(leaf.name).second) {
      return ConfigError("flatten: two columns are named '" + leaf.name +
                         "' in the end; choose another separator, or rename one before");
    }
    fields.push_back(leaf.path.size() == 1 && !leaf.as_text ? input->field(leaf.path.front())
                                                            : arrow::field(leaf.name, leaf.type));
  }
  return std::make_unique<Flatten>(arrow::schema(std::move(fields)), std::move(leaves));
}

}  // namespace

CALVE_PART(flatten) {
  registry.Add({.type = "flatten",
                .meaning = "Fields of structs as columns of their own",
                .part = config::MakePart<FlattenOptions>("flatten"),
                .make = [](const Context&, const config::Node& node,
                           const std::shared_ptr<arrow::Schema>& input,
                           const Resources&) -> Result<std::unique_ptr<Transform>> {
                  CALVE_ASSIGN_OR_RETURN(const auto options,
                                         FlattenOptions::Declaration().Parse(node));
                  return MakeFlatten(options, input);
                }});
}

}  // namespace calve::transform
