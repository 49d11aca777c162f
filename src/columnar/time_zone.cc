#include "columnar/time_zone.h"

#include <arrow/array/array_primitive.h>
#include <arrow/array/util.h>
#include <arrow/compute/api_scalar.h>

#include "base/text.h"
#include "columnar/arrow_status.h"

namespace calve::columnar {

Status CheckTimeZone(const std::string& name) {
  if (name == "UTC") return Status::Ok();
  // Arrow looks a zone up only when it has a value to convert.
  CALVE_ASSIGN_OR_RETURN(
      const auto moment,
      arrow::MakeArrayFromScalar(arrow::TimestampScalar(0, arrow::TimeUnit::MICRO), /*length=*/1));
  const arrow::compute::AssumeTimezoneOptions options(name);
  if (!name.empty() && name[0] != '+' && name[0] != '-' &&
      arrow::compute::AssumeTimezone(moment, options).ok())
    return Status::Ok();
  return ConfigError("'" + name +
                     "' is no time zone; expected a name of the IANA database, such as "
                     "Europe/Berlin or UTC");
}

}  // namespace calve::columnar
