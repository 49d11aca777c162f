#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "config/option.h"
#include "io/postgres_address.h"

namespace calve::load::postgres {

enum class WriteMode { kAppend, kOverwrite, kMerge };
config::Names<WriteMode> NamesOf(WriteMode);

/// The postgres loader's options.
struct PostgresOptions : io::PostgresAddress {
  std::string schema = "public";
  std::string table;
  WriteMode write_mode = WriteMode::kAppend;
  bool allow_empty = false;
  std::vector<std::string> key;

  static config::Shape<PostgresOptions> Declaration();
};

/// A relation's name in its schema, and how SQL and people name it.
struct RelationName {
  std::string schema;
  std::string name;

  std::string Quoted() const;
  std::string ToString() const { return schema + "." + name; }
};

/// "name", with quotes doubled.
std::string QuoteIdentifier(const std::string& name);
/// Names that are longer are cut by the server without a word.
inline constexpr size_t kNameBytesMax = 63;

}  // namespace calve::load::postgres
