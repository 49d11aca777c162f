#include "catalog/sql/pointer_database.h"

namespace calve::catalog {

Result<PointerTransaction> PointerTransaction::Begin(const Context& context,
                                                     PointerDatabase& database) {
  CALVE_RETURN_IF_ERROR(database.Begin(context));
  return PointerTransaction(&database);
}

PointerTransaction::~PointerTransaction() {
  if (database_ != nullptr) database_->Rollback();
}

Status PointerTransaction::Commit(const Context& context) {
  return std::exchange(database_, nullptr)->Commit(context);
}

}  // namespace calve::catalog
