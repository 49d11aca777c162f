#include "audit/contract.h"

#include <algorithm>
#include <set>
#include <utility>

#include "audit/audit.h"
#include "base/text.h"

namespace calve::audit {
namespace {

using config::Faults;
using config::Node;

/// A column of another table.
struct Reference {
  std::string table;
  std::string column;
};

/// Read `sales.customers(id)`; nothing when it is written otherwise.
std::optional<Reference> ParseReference(const std::string& text) {
  const size_t open = text.find('(');
  if (open == std::string::npos || open == 0 || !text.ends_with(')')) return std::nullopt;
  Reference reference{.table = text.substr(0, open),
                      .column = text.substr(open + 1, text.size() - open - 2)};
  if (reference.column.empty() || reference.column.find(',') != std::string::npos)
    return std::nullopt;
  return reference;
}

/// What a contract file can say, but for its list of checks, whose keys are the kinds that exist.
struct ColumnOptions {
  std::optional<std::string> type;
  bool required = false;
  bool unique = false;
  std::string doc;
  std::optional<Node> min;
  std::optional<Node> max;
  std::vector<Node> accepted_values;
  std::optional<std::string> regex;
  std::optional<std::string> references;
  Severity severity = Severity::kFail;

  static config::Shape<ColumnOptions> Declaration() {
    config::Shape<ColumnOptions> shape("column of a contract",
                                       "What the table promises of one column.");
    shape.Optional("type", &ColumnOptions::type, "Its type, by Iceberg's name.",
                   {.example = "\"decimal(12,2)\""});
    shape.Optional("required", &ColumnOptions::required,
                   "No row has NULL here (a not_null check).");
    shape.Optional("unique", &ColumnOptions::unique,
                   "No value stands in two rows (a unique check).");
    shape.Optional("doc", &ColumnOptions::doc, "What it means, for people.");
    shape.Optional("min", &ColumnOptions::min, "The least value (a range check).");
    shape.Optional("max", &ColumnOptions::max, "The greatest value (a range check).");
    shape.Optional("accepted_values", &ColumnOptions::accepted_values,
                   "The values that may stand here.", {.example = "[EUR, USD]"});
    shape.Optional("regex", &ColumnOptions::regex,
                   "The pattern that every value matches as a whole.");
    shape.Optional("references", &ColumnOptions::references,
                   "Every value stands in a column of another table (a foreign_key check).",
                   {.example = "sales.customers(id)"});
    shape.Optional("severity", &ColumnOptions::severity,
                   "What happens when a check of this column does not hold. unique and references "
                   "judge the table as a whole: with them it is warn or fail.");
    shape.Check("type", [](const ColumnOptions& options) -> Status {
      if (!options.type.has_value()) return Status::Ok();
      Result<iceberg::Type> type = iceberg::Type::Parse(*options.type);
      return type.ok() ? Status::Ok() : Status(ConfigError(type.error().message));
    });
    shape.Check("references", [](const ColumnOptions& options) -> Status {
      if (!options.references.has_value() || ParseReference(*options.references).has_value())
        return Status::Ok();
      return ConfigError("'" + *options.references +
                         "' is no reference; expected a table and its column, such as "
                         "sales.customers(id)");
    });
    return shape;
  }
};

struct ContractOptions {
  std::optional<std::string> table;
  DriftPolicy on_new_column = DriftPolicy::kEvolve;
  DriftPolicy on_type_change = DriftPolicy::kQuarantine;
  std::vector<std::pair<std::string, ColumnOptions>> columns;
  std::vector<std::string> key;
  std::vector<Node> checks;

  static config::Shape<ContractOptions> Declaration() {
    config::Shape<ContractOptions> shape("contract", "What a table promises to those who read it.");
    shape.Optional("table", &ContractOptions::table, "The table.",
                   {.default_text = "the file's name"});
    shape.Optional("on_new_column", &ContractOptions::on_new_column,
                   "What happens to a column that the table does not have.");
    shape.Optional("on_type_change", &ContractOptions::on_type_change,
                   "What happens when a column comes with a wider type.");
    shape.Optional("columns", &ContractOptions::columns, "What is promised of each column.");
    shape.Optional("key", &ContractOptions::key,
                   "The columns that tell rows apart: none is NULL, no two rows have the same.",
                   {.example = "[store_id, date]"});
    shape.Optional("checks", &ContractOptions::checks, "More checks, each by its kind.",
                   {.example = "[{not_null: [email], severity: warn}]"});
    return shape;
  }
};

Node TextList(const std::vector<std::string>& texts) {
  Node list = Node::Sequence();
  for (const std::string& text : texts) list.items().push_back(Node::Scalar(text, /*quoted=*/true));
  return list;
}

/// Collects the checks of a contract, from wherever it says them.
class CheckList {
 public:
  CheckList(const Registry& registry, Contract& contract, Faults& faults)
      : registry_(registry), contract_(contract), faults_(faults) {}

  void AddColumn(const std::string& name, const ColumnOptions& options, const Node& node) {
    const Node* said = node.Find("severity");
    const Demand demand{.severity = options.severity,
                        .severity_place = said == nullptr ? node.place() : said->place(),
                        .place = node.place(),
                        .column = name};
    if (options.required) Add("not_null", With("columns", TextList({name})), demand);
    if (options.unique) Add("unique", With("columns", TextList({name})), demand);
    if (options.min.has_value() || options.max.has_value()) {
      Node node = With("column", Node::Scalar(name, true));
      if (options.min.has_value()) node.Set("min", *options.min);
      if (options.max.has_value()) node.Set("max", *options.max);
      Add("range", std::move(node), demand);
    }
    if (!options.accepted_values.empty()) {
      Node node = With("column", Node::Scalar(name, true));
      node.Set("values", Node::Sequence(options.accepted_values));
      Add("accepted_values", std::move(node), demand);
    }
    if (options.regex.has_value()) {
      Node node = With("column", Node::Scalar(name, true));
      node.Set("pattern", Node::Scalar(*options.regex, true));
      Add("regex", std::move(node), demand);
    }
    if (options.references.has_value()) AddReference(name, *options.references, demand);
  }

  void AddKey(const std::vector<std::string>& key, const config::Place& place) {
    if (key.empty()) return;
    Add("not_null", With("columns", TextList(key)), {.place = place});
    Add("unique", With("columns", TextList(key)), {.place = place});
  }

  /// One item of `checks`: the kind with its options, and a severity.
  void AddItem(const Node& item) {
    if (!item.is_mapping()) {
      faults_.Add(item.place(),
                  "a check is a mapping, such as {not_null: [email], severity: fail}");
      return;
    }
    Demand demand;
    const Node::Entry* kind = nullptr;
    for (const Node::Entry& entry : item.entries()) {
      if (entry.key == "severity") {
        ReadSeverity(entry.value, &demand.severity);
        demand.severity_place = entry.value.place();
      } else if (kind != nullptr) {
        faults_.Add(entry.key_place, "a check has one kind, here are '" + kind->key + "' and '" +
                                         entry.key + "'; write two items");
      } else {
        kind = &entry;
      }
    }
    if (kind == nullptr) {
      faults_.Add(item.place(), "the check names no kind; one of " + Join(Known(), ", "));
      return;
    }
    const CheckKind* known = registry_.Find(kind->key);
    if (known == nullptr) {
      faults_.Add(kind->key_place,
                  "'" + kind->key + "' is no kind of check" + DidYouMean(kind->key, Known()),
                  "one of " + Join(Known(), ", "));
      return;
    }
    const Node options = WriteOut(kind->key, kind->value);
    const size_t before = faults_.size();
    known->part.shape->Validate(options, {.faults = faults_});
    demand.place = kind->value.place();
    if (faults_.size() == before) Add(kind->key, options, demand);
  }

 private:
  /// How a contract asks for a check, and where.
  struct Demand {
    Severity severity = Severity::kFail;
    config::Place severity_place;
    config::Place place;
    std::string column;  ///< Of the short form below `columns`; else empty.
  };

  void AddReference(const std::string& name, const std::string& text, const Demand& demand) {
    const std::optional<Reference> reference = ParseReference(text);
    if (!reference.has_value()) return;  // That it is none is said.
    Node node = With("columns", TextList({name}));
    node.Set("table", Node::Scalar(reference->table, true));
    node.Set("references", TextList({reference->column}));
    Add("foreign_key", std::move(node), demand);
  }

  static Node With(const std::string& key, Node value) {
    Node node = Node::Mapping();
    node.Set(key, std::move(value));
    return node;
  }

  /// The short forms: a list or a text where a kind has one main option.
  static Node WriteOut(const std::string& kind, const Node& value) {
    const bool takes_columns = kind == "not_null" || kind == "unique";
    if (takes_columns && !value.is_mapping()) {
      Node node = With("columns", value.is_sequence() ? value : Node::Sequence({value}));
      node.set_place(value.place());
      return node;
    }
    if (kind == "condition" && value.is_scalar()) {
      Node node = With("sql", value);
      node.set_place(value.place());
      return node;
    }
    return value;
  }

  void ReadSeverity(const Node& node, Severity* severity) {
    std::vector<std::string> names;
    for (const auto& name : NamesOf(Severity{})) {
      names.emplace_back(name.name);
      if (node.text() == name.name) {
        *severity = name.value;
        return;
      }
    }
    faults_.Add(node.place(), "'" + node.text() + "' is no severity; one of " + Join(names, ", ") +
                                  DidYouMean(node.text(), names));
  }

  /// The one way into the contract: what a kind cannot do is refused here.
  void Add(const std::string& kind, Node options, const Demand& demand) {
    const CheckKind* known = registry_.Find(kind);
    if (known == nullptr) return;
    Check check{.name = known->name(options),
                .kind = kind,
                .severity = demand.severity,
                .options = std::move(options),
                .place = demand.place};
    if (demand.severity == Severity::kQuarantine && known->judges == Judges::kTable) {
      const bool short_form = !demand.column.empty();
      faults_.Add(demand.severity_place,
                  "check " + check.name +
                      " judges the table as a whole: no single row can go to quarantine; its "
                      "severity is warn or fail",
                  short_form ? "the checks of column " + demand.column +
                                   " that hold rows back can be items of checks"
                             : "");
    }
    const std::string wanted = check.name;
    for (int n = 2; names_.contains(check.name); ++n)
      check.name = wanted + " #" + std::to_string(n);
    names_.insert(check.name);
    contract_.checks.push_back(std::move(check));
  }

  std::vector<std::string> Known() const {
    std::vector<std::string> names;
    for (const auto& [name, kind] : registry_.kinds()) names.push_back(name);
    return names;
  }

  const Registry& registry_;
  Contract& contract_;
  Faults& faults_;
  std::set<std::string> names_;
};

/// The mapping that promises something of a column; the file where that is not to be found.
const Node& NodeOfColumn(const Node& root, const std::string& column) {
  const Node* columns = root.Find("columns");
  const Node* node = columns == nullptr ? nullptr : columns->Find(column);
  return node == nullptr ? root : *node;
}

}  // namespace

config::Names<Severity> NamesOf(Severity) {
  return {{"warn", Severity::kWarn, "Count the rows and say so."},
          {"quarantine", Severity::kQuarantine, "Hold the rows back in <table>__quarantine."},
          {"fail", Severity::kFail, "Do not publish."}};
}

config::Names<DriftPolicy> NamesOf(DriftPolicy) {
  return {{"evolve", DriftPolicy::kEvolve, "Change the table's schema where the format allows it."},
          {"freeze", DriftPolicy::kFreeze, "Stop."},
          {"quarantine", DriftPolicy::kQuarantine,
           "Hold back rows whose values do not fit; leave new columns out."}};
}

std::shared_ptr<const config::AnyShape> ContractShape() {
  return std::make_shared<const config::Shape<ContractOptions>>(ContractOptions::Declaration());
}

Result<Contract> ParseContract(const Node& root, const std::string& name,
                               const Registry& registry) {
  Faults faults;
  ContractOptions options = ContractOptions::Declaration().Read(root, {.faults = faults});
  Contract contract;
  contract.table = options.table.value_or(name);
  contract.source = std::string(root.place().file_name());
  contract.on_new_column = options.on_new_column;
  contract.on_type_change = options.on_type_change;
  contract.key = options.key;
  CheckList checks(registry, contract, faults);
  for (const auto& [column, promise] : options.columns) {
    ColumnPromise made{
        .name = column, .type = std::nullopt, .required = promise.required, .doc = promise.doc};
    if (promise.type.has_value()) {
      Result<iceberg::Type> type = iceberg::Type::Parse(*promise.type);
      if (type.ok()) made.type = *type;
    }
    contract.columns.push_back(std::move(made));
    checks.AddColumn(column, promise, NodeOfColumn(root, column));
  }
  const Node* key = root.Find("key");
  checks.AddKey(options.key, key == nullptr ? root.place() : key->place());
  for (const Node& item : options.checks) checks.AddItem(item);
  CALVE_RETURN_IF_ERROR(faults.ToStatus());
  return contract;
}

}  // namespace calve::audit
