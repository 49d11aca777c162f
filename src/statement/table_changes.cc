#include "statement/table_changes.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "iceberg/partition.h"

namespace calve::statement {
namespace {

using iceberg::Field;
using iceberg::SchemaUpdate;
using iceberg::TableChange;
using iceberg::TableMetadata;
using iceberg::Type;

/// A sentence, taken apart from its left. Names with blanks stand in double quotes.
class Sentence {
 public:
  explicit Sentence(std::string_view text) : rest_(Trim(text)) {}

  /// The next word or quoted name; empty at the end.
  std::string Word() {
    const bool quoted = rest_.starts_with('"');
    if (quoted) rest_.remove_prefix(1);
    const size_t end = std::min(rest_.find(quoted ? '"' : ' '), rest_.size());
    std::string word(rest_.substr(0, end));
    rest_ = Trim(rest_.substr(std::min(end + (quoted ? 1 : 0), rest_.size())));
    return word;
  }
  /// Take `word` when it comes next.
  bool Take(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    const std::string_view after = rest_.substr(word.size());
    if (!after.empty() && after[0] != ' ') return false;
    rest_ = Trim(after);
    return true;
  }
  std::string_view rest() const { return rest_; }
  bool done() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

Error Unreadable(std::string_view text) {
  return ConfigError("'" + std::string(text) + "' is no change of a table; the forms are:\n" +
                     TableChangeForms());
}

Result<Type> ReadType(std::string_view text) {
  Result<Type> type = Type::Parse(text);
  return type.ok() ? std::move(type) : ConfigError(type.error().message);
}

constexpr std::string_view kDefault = " default ";

Result<iceberg::Value> ReadDefault(const Type& type, std::string_view text) {
  if (Trim(text) == "null") return iceberg::Value();
  Result<iceberg::Value> value = iceberg::ParseText(type, Trim(text));
  return value.ok() ? std::move(value) : ConfigError(value.error().message);
}

/// `definition` is a type, and may say a default: `long default 5`.
Status Add(SchemaUpdate& update, const std::string& column, std::string_view definition) {
  const size_t split = definition.find(kDefault);
  CALVE_ASSIGN_OR_RETURN(Type type, ReadType(definition.substr(0, split)));
  const size_t dot = column.rfind('.');
  const std::string parent = dot == std::string::npos ? "" : column.substr(0, dot);
  Field field;
  field.name = dot == std::string::npos ? column : column.substr(dot + 1);
  field.type = std::move(type);
  if (split != std::string_view::npos) {
    // Rows that are there have it too, and new ones that say none.
    CALVE_ASSIGN_OR_RETURN(field.initial_default,
                           ReadDefault(field.type, definition.substr(split + kDefault.size())));
    field.write_default = field.initial_default;
  }
  return update.AddColumn(parent, std::move(field));
}

/// What new rows have in a column that they say nothing of.
Status SetDefault(SchemaUpdate& update, const TableMetadata& base, const std::string& column,
                  std::string_view text) {
  const Field* field = base.schema()->FindByName(column);
  if (field == nullptr)
    return update.SetWriteDefault(column, iceberg::Value());  // says which columns there are
  if (base.format_version < 3) {
    return ConfigError("the default of column " + Quote(column) +
                       " needs format version 3, the table has version " +
                       std::to_string(base.format_version) + "; upgrade to format 3");
  }
  CALVE_ASSIGN_OR_RETURN(iceberg::Value value, ReadDefault(field->type, text));
  return update.SetWriteDefault(column, std::move(value));
}

/// A change of columns; nothing when the sentence is none.
std::optional<Status> ChangeColumns(Sentence sentence, const TableMetadata& base,
                                    SchemaUpdate& update) {
  const std::string verb = sentence.Word();
  const std::string column = sentence.Word();
  if (column.empty()) return std::nullopt;
  if (verb == "add" && !sentence.done()) return Add(update, column, sentence.rest());
  if (verb == "drop" && sentence.done()) return update.DropColumn(column);
  if (verb == "default" && !sentence.done())
    return SetDefault(update, base, column, sentence.rest());
  if (verb == "optional" && sentence.done()) return update.MakeOptional(column);
  if (verb == "widen" && sentence.Take("to") && !sentence.done()) {
    const Result<Type> type = ReadType(sentence.rest());
    return type.ok() ? update.ChangeType(column, *type) : type.status();
  }
  if (verb == "rename" && sentence.Take("to")) {
    const std::string name = sentence.Word();
    if (sentence.done()) return update.RenameColumn(column, name);
  }
  if (verb != "move") return std::nullopt;
  if (sentence.Take("first") && sentence.done()) return update.MoveFirst(column);
  const bool after = sentence.Take("after");
  if (!after && !sentence.Take("before")) return std::nullopt;
  const std::string other = sentence.Word();
  if (other.empty() || !sentence.done()) return std::nullopt;
  return after ? update.MoveAfter(column, other) : update.MoveBefore(column, other);
}

/// Split at the commas outside parentheses: `day(ts), bucket(16, id)`.
std::vector<std::string> PartitionTexts(std::string_view text) {
  std::vector<std::string> parts(1);
  int depth = 0;
  for (const char c : text) {
    depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    if (c == ',' && depth == 0) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  for (std::string& part : parts) part = std::string(Trim(part));
  return parts;
}

/// A change of anything but columns; nothing when the sentence is none.
std::optional<Result<TableChange>> ChangeLayout(Sentence sentence, const TableMetadata& base) {
  TableChange change;
  if (sentence.Take("partition")) {
    if (!sentence.Take("by") || sentence.done()) return std::nullopt;
    if (sentence.rest() == "nothing") return iceberg::ReplacePartitionSpec(base, {});
    Result<std::vector<iceberg::PartitionField>> fields = iceberg::ParsePartitionFields(
        PartitionTexts(sentence.rest()), *base.schema(), base.last_partition_id);
    if (!fields.ok()) return std::move(fields).error();
    return iceberg::ReplacePartitionSpec(base, std::move(*fields));
  }
  if (sentence.Take("set")) {
    const std::string_view text = sentence.rest();
    const size_t equals = text.find('=');
    if (equals == std::string_view::npos || Trim(text.substr(0, equals)).empty())
      return std::nullopt;
    change.updates.push_back(iceberg::SetProperties(
        {{std::string(Trim(text.substr(0, equals))), std::string(Trim(text.substr(equals + 1)))}}));
    return change;
  }
  if (sentence.Take("unset") && !sentence.done()) {
    change.updates.push_back(iceberg::RemoveProperties({std::string(sentence.rest())}));
    return change;
  }
  if (sentence.Take("upgrade") && sentence.Take("to") && sentence.Take("format")) {
    const auto version = ParseInteger(sentence.rest());
    if (!version.has_value()) return std::nullopt;
    if (*version < base.format_version || *version > 3) {
      return ConfigError("the table has format version " + std::to_string(base.format_version) +
                         ", which can be upgraded up to 3, never back");
    }
    if (*version > base.format_version)
      change.updates.push_back(iceberg::UpgradeFormatVersion(static_cast<int>(*version)));
    return change;
  }
  return std::nullopt;
}

/// A table under way: the updates so far, and what it is with them.
class Alteration {
 public:
  explicit Alteration(const TableMetadata& base) : at_(base) {}

  Status Add(const std::string& text) {
    SchemaUpdate update(at_);
    if (const auto changed = ChangeColumns(Sentence(text), at_, update); changed.has_value()) {
      CALVE_RETURN_IF_ERROR(*changed);
      CALVE_ASSIGN_OR_RETURN(const TableChange step, update.Build());
      if (!before_columns_.has_value()) before_columns_ = at_;
      return Apply(step);
    }
    auto changed = ChangeLayout(Sentence(text), at_);
    if (!changed.has_value()) return Unreadable(text);
    CALVE_RETURN_IF_ERROR(*changed);
    CALVE_RETURN_IF_ERROR(SettleColumns());
    updates_.insert(updates_.end(), (*changed)->updates.begin(), (*changed)->updates.end());
    return Apply(**changed);
  }

  Result<std::vector<iceberg::UpdatePtr>> Finish() {
    CALVE_RETURN_IF_ERROR(SettleColumns());
    return std::move(updates_);
  }

 private:
  Status Apply(const TableChange& step) {
    CALVE_ASSIGN_OR_RETURN(
        at_, iceberg::Apply(&at_, step, {.now_ms = at_.last_updated_ms, .previous_location = ""}));
    return Status::Ok();
  }

  /// Sentences about columns that follow one another make one schema, not one each.
  Status SettleColumns() {
    if (!before_columns_.has_value()) return Status::Ok();
    const iceberg::SchemaPtr wanted = at_.schema();
    at_ = *std::exchange(before_columns_, std::nullopt);
    if (at_.schema()->SameColumns(*wanted)) return Status::Ok();
    TableChange step;
    iceberg::SchemaId next{0};
    for (const iceberg::SchemaPtr& other : at_.schemas) {
      next = std::max(next, iceberg::SchemaId(other->id().value() + 1));
      if (other->SameColumns(*wanted)) step.updates = {iceberg::SetCurrentSchema(other->id())};
    }
    if (step.updates.empty()) {
      CALVE_ASSIGN_OR_RETURN(
          iceberg::SchemaPtr schema,
          iceberg::Schema::Make(next, wanted->fields(), wanted->identifier_field_ids()));
      step.updates = {iceberg::AddSchema(std::move(schema)),
                      iceberg::SetCurrentSchema(iceberg::SchemaId(-1))};
    }
    updates_.insert(updates_.end(), step.updates.begin(), step.updates.end());
    return Apply(step);
  }

  TableMetadata at_;
  std::optional<TableMetadata> before_columns_;
  std::vector<iceberg::UpdatePtr> updates_;
};

}  // namespace

const char* TableChangeForms() {
  return "  add COLUMN TYPE             such as: add note string, add address.zip string\n"
         "  add COLUMN TYPE default VALUE\n"
         "                              rows that are there have it too; format version 3\n"
         "  default COLUMN VALUE        of rows to come that say none; null: no default\n"
         "  drop COLUMN\n"
         "  rename COLUMN to NAME\n"
         "  widen COLUMN to TYPE        int to long, float to double, a decimal of more digits\n"
         "  move COLUMN first, move COLUMN after OTHER, move COLUMN before OTHER\n"
         "  optional COLUMN             let it be NULL\n"
         "  partition by FIELDS         such as: partition by day(ts), bucket(16, id)\n"
         "  partition by nothing\n"
         "  set KEY = VALUE, unset KEY  a table property\n"
         "  upgrade to format 3\n"
         "A name with blanks stands in double quotes.";
}

Result<TableChange> ChangeTable(const TableMetadata& base,
                                const std::vector<std::string>& sentences) {
  Alteration alteration(base);
  for (const std::string& text : sentences) CALVE_RETURN_IF_ERROR(alteration.Add(text));
  TableChange change;
  CALVE_ASSIGN_OR_RETURN(change.updates, alteration.Finish());
  if (change.updates.empty()) return change;
  // Each step was computed on the one before: together they hold for exactly this base.
  change.requirements.push_back(iceberg::AssertTableUuid(base.table_uuid));
  change.requirements.push_back(iceberg::AssertCurrentSchemaId(base.current_schema_id));
  change.requirements.push_back(iceberg::AssertLastAssignedFieldId(base.last_column_id));
  change.requirements.push_back(iceberg::AssertDefaultSpecId(base.default_spec_id));
  change.requirements.push_back(iceberg::AssertLastAssignedPartitionId(base.last_partition_id));
  return change;
}

}  // namespace calve::statement
