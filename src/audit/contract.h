#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/option.h"
#include "iceberg/type.h"

namespace calve::audit {

/// What happens when a check does not hold.
enum class Severity {
  kWarn,        ///< Count and say so.
  kQuarantine,  ///< Rows that fail go to <table>__quarantine (row checks only).
  kFail,        ///< The snapshot is not published.
};
config::Names<Severity> NamesOf(Severity);

/// What happens when the data's schema is not the table's.
enum class DriftPolicy {
  kEvolve,      ///< Change the table's schema where the format allows it.
  kFreeze,      ///< Stop.
  kQuarantine,  ///< Rows with values that do not fit go to quarantine; new columns are left out,
                ///< and said.
};
config::Names<DriftPolicy> NamesOf(DriftPolicy);

/// What a contract says of one column.
struct ColumnPromise {
  std::string name;
  std::optional<iceberg::Type> type;
  bool required = false;
  std::string doc;
};

/// One check, whatever wrote it (a column's short form, `key`, or the list of checks).
struct Check {
  std::string name;  ///< "not_null(email)"; unique within a contract.
  std::string kind;  ///< "not_null", the registered kind.
  Severity severity = Severity::kFail;
  config::Node options = config::Node::Mapping();  ///< As the kind's shape declares.
  config::Place place;                             ///< Where the contract says it.
};

/// What a table promises (contracts/<table>.yaml).
struct Contract {
  std::string table;   ///< "sales.daily_sales", the file's name unless said.
  std::string source;  ///< The file, for messages.
  DriftPolicy on_new_column = DriftPolicy::kEvolve;
  DriftPolicy on_type_change = DriftPolicy::kQuarantine;
  std::vector<ColumnPromise> columns;
  std::vector<std::string> key;
  std::vector<Check> checks;
};

}  // namespace calve::audit
