#pragma once

#include "base/context.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "iceberg/metadata.h"
#include "iceberg/schema.h"
#include "iceberg/update.h"
#include "load/iceberg/options.h"
#include "load/registry.h"

namespace calve::load {

/// A new table with columns as planned, laid out as the loader's options say. Location and uuid are
/// left to the caller. Fails with kConfig naming partition_by or sort_by.
Result<iceberg::CreateTableOptions> LayoutOf(const IcebergOptions& options,
                                             const iceberg::Schema& planned);

/// A load whose schema is planned, before anything is read or changed.
struct PlannedLoad {
  const IcebergOptions& options;
  const Request& request;
  const Resources& resources;
  catalog::Catalog& catalog;
  const catalog::TableName& table;
  const iceberg::Schema& planned;  ///< SchemaPlan::schema.
  iceberg::MetadataPtr current;    ///< The table; null for a new one.
};

/// See everything that would stop such a load later on: the layout of a new table, properties and
/// place of its files, the rows that give way, the contract's checks. All faults are one kConfig
/// error, each with its place where an option is wrong.
Status CheckPlan(const Context& context, const PlannedLoad& load);

}  // namespace calve::load
