#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/util.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "base/text.h"
#include "columnar/arrow_status.h"
#include "columnar/row_text.h"
#include "transform/concealment.h"
#include "transform/registry.h"

namespace calve::transform {
namespace {

constexpr size_t kKeyCharactersMin = 16;

struct MaskOptions {
  std::string key;
  std::vector<std::string> hmac;
  std::vector<std::string> partial;
  std::vector<std::string> as_null;
  int keep_first = 0;
  int keep_last = 4;

  static config::Shape<MaskOptions> Declaration() {
    config::Shape<MaskOptions> shape(
        "mask transformer",
        "Hide values of columns, in the table and wherever a row may show beside it: in the "
        "quarantine, in messages and in notes.");
    shape.Optional("hmac", &MaskOptions::hmac,
                   "Columns whose values become a text of 64 hexadecimal digits, the HMAC-SHA-256 "
                   "of their text by `key`: equal values stay equal, so that rows can be joined "
                   "and counted.",
                   {.example = "[email]"});
    shape.Optional("key", &MaskOptions::key,
                   "The key of hmac, of at least 16 characters. Who has it can try values; with "
                   "another one no value meets its older self.",
                   {.example = "${MASK_KEY}", .secret = true});
    shape.Optional("partial", &MaskOptions::partial,
                   "Columns whose values become a text in which all but a few characters are `*`. "
                   "A value of which more would show than is hidden is hidden whole.",
                   {.example = "[phone]"});
    shape.Optional("keep_first", &MaskOptions::keep_first,
                   "How many characters of partial show at the beginning.", {.min = 0, .max = 100});
    shape.Optional("keep_last", &MaskOptions::keep_last,
                   "How many characters of partial show at the end.", {.min = 0, .max = 100});
    shape.Optional("as_null", &MaskOptions::as_null, "Columns that become NULL.",
                   {.example = "[birthday]"});
    shape.Check("key", [](const MaskOptions& o) -> Status {
      if (o.hmac.empty() || o.key.size() >= kKeyCharactersMin) return Status::Ok();
      return ConfigError("hmac needs a key of at least 16 characters; found one of " +
                         std::to_string(o.key.size()));
    });
    shape.CheckNode([](const MaskOptions& o, const config::Node& node, config::Faults& faults) {
      std::vector<std::string> all = o.Columns();
      if (all.empty())
        faults.Add(node.place(), "a mask transformer has columns in hmac, partial or as_null");
      std::sort(all.begin(), all.end());
      const auto twice = std::adjacent_find(all.begin(), all.end());
      if (twice != all.end())
        faults.Add(node.place(), "column '" + *twice + "' is masked twice; keep one");
    });
    return shape;
  }

  std::vector<std::string> Columns() const {
    std::vector<std::string> all = hmac;
    all.insert(all.end(), partial.begin(), partial.end());
    all.insert(all.end(), as_null.begin(), as_null.end());
    return all;
  }
};

/// A text with all but its ends hidden.
std::string HidePart(const std::string& text, const MaskOptions& options) {
  std::vector<size_t> starts;  // Of characters.
  for (size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) starts.push_back(i);
  }
  const auto first = static_cast<size_t>(options.keep_first);
  const auto last = static_cast<size_t>(options.keep_last);
  const size_t all = starts.size();
  if (2 * (first + last) > all) return std::string(all, '*');
  const size_t end = last == 0 ? text.size() : starts[all - last];
  const size_t begin = first == 0 ? 0 : starts[first];
  return text.substr(0, begin) + std::string(all - first - last, '*') + text.substr(end);
}

enum class Way { kShow, kHmac, kPartial, kNull };

class Mask : public Transform {
 public:
  Mask(MaskOptions options, std::vector<Way> ways, std::shared_ptr<arrow::Schema> schema,
       Concealment concealment)
      : options_(std::move(options)),
        ways_(std::move(ways)),
        schema_(std::move(schema)),
        concealment_(std::move(concealment)) {}

  const std::shared_ptr<arrow::Schema>& schema() const override { return schema_; }
  const Concealment* concealment() const override { return &concealment_; }

  Result<columnar::TracedBatch> Apply(const Context&, columnar::TracedBatch batch) override {
    arrow::ArrayVector arrays = batch.rows->columns();
    for (size_t i = 0; i < ways_.size(); ++i) {
      if (ways_[i] == Way::kShow) continue;
      if (ways_[i] == Way::kNull) {
        CALVE_ASSIGN_OR_RETURN(arrays[i],
                               arrow::MakeArrayOfNull(arrays[i]->type(), arrays[i]->length()));
      } else {
        CALVE_ASSIGN_OR_RETURN(arrays[i], Texts(*arrays[i], ways_[i]));
      }
    }
    batch.rows = arrow::RecordBatch::Make(schema_, batch.rows->num_rows(), std::move(arrays));
    batch.origins = concealment_.Hide(std::move(batch.origins));
    return batch;
  }

 private:
  Result<std::shared_ptr<arrow::Array>> Texts(const arrow::Array& array, Way way) {
    arrow::StringBuilder texts;
    for (int64_t row = 0; row < array.length(); ++row) {
      if (array.IsNull(row)) {
        CALVE_RETURN_IF_ERROR(texts.AppendNull());
        continue;
      }
      const std::string text = columnar::CellText(array, row);
      CALVE_RETURN_IF_ERROR(texts.Append(
          way == Way::kPartial ? HidePart(text, options_) : ToHex(HmacSha256(options_.key, text))));
    }
    std::shared_ptr<arrow::Array> done;
    CALVE_RETURN_IF_ERROR(texts.Finish(&done));
    return done;
  }

  const MaskOptions options_;
  const std::vector<Way> ways_;  ///< By column.
  const std::shared_ptr<arrow::Schema> schema_;
  const Concealment concealment_;
};

Result<std::unique_ptr<Transform>> MakeMask(const MaskOptions& options,
                                            const std::shared_ptr<arrow::Schema>& input) {
  std::vector<Way> ways(static_cast<size_t>(input->num_fields()), Way::kShow);
  arrow::FieldVector fields = input->fields();
  config::Faults faults;
  const auto set = [&](const std::vector<std::string>& columns, Way way) {
    for (const std::string& column : columns) {
      const int place = input->GetFieldIndex(column);
      if (place < 0) {
        faults.Add({}, "mask names a column '" + column + "', which is not there" +
                           DidYouMean(column, input->field_names()));
        continue;
      }
      const auto at = static_cast<size_t>(place);
      ways[at] = way;
      if (way != Way::kNull) fields[at] = arrow::field(column, arrow::utf8());
    }
  };
  set(options.hmac, Way::kHmac);
  set(options.partial, Way::kPartial);
  set(options.as_null, Way::kNull);
  CALVE_RETURN_IF_ERROR(faults.ToStatus());
  return std::make_unique<Mask>(options, std::move(ways), arrow::schema(std::move(fields)),
                                Concealment(options.Columns(), input));
}

constexpr std::string_view kDetails = R"(## What shows beside the table

- Rows that are held back behind the mask, such as by a contract, lie in the quarantine as they are in the table: masked. `calve quarantine
  replay` does not mask them once more.
- Rows that are held back before it (a line that cannot be read, a text that is no date) have `***` in place of the values; where it is not known
  which value is which, in place of the whole row. They cannot be replayed: mend their source, and read it again.
- What stands in quotes in the reason of such a row is hidden as well, unless the reason is about a column that is not masked.
- The place of a row of a database is its key; a key that is masked, or made of several columns, is not told.

So put `mask` first, or as soon as the columns have their names. What a transformer before it makes of a value (`sql`) is a column of its own:
mask it, too. The values of an incremental job's `cursor_column` stand in the table's snapshots.

`hmac` takes the text of a value, as `calve query` prints it: 42 is the same as integer, long and text; 1.5 and 1.50 are two values.
)";

}  // namespace

CALVE_PART(mask) {
  registry.Add({.type = "mask",
                .meaning = "Values hidden: by a keyed hash, in part, or as NULL",
                .part = config::MakePart<MaskOptions>("mask"),
                .make = [](const Context&, const config::Node& node,
                           const std::shared_ptr<arrow::Schema>& input,
                           const Resources&) -> Result<std::unique_ptr<Transform>> {
                  CALVE_ASSIGN_OR_RETURN(const auto options,
                                         MaskOptions::Declaration().Parse(node));
                  return MakeMask(options, input);
                },
                .details = std::string(kDetails)});
}

}  // namespace calve::transform
