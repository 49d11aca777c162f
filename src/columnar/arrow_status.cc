#include "columnar/arrow_status.h"

#include <arrow/compute/initialize.h>

#include "base/error_carrier.h"

namespace calve {
namespace {

ErrorKind KindOf(const arrow::Status& status) {
  using arrow::StatusCode;
  switch (status.code()) {
    case StatusCode::Invalid:
    case StatusCode::TypeError:
    case StatusCode::SerializationError:
    case StatusCode::KeyError:
    case StatusCode::IndexError:
    case StatusCode::IOError:  // Storage's own errors are carried: what is left are codecs and
                               // formats that met broken bytes.
      return ErrorKind::kData;
    case StatusCode::OutOfMemory:
    case StatusCode::NotImplemented:
    case StatusCode::CapacityError:
      return ErrorKind::kRefused;
    case StatusCode::Cancelled:
      return ErrorKind::kStopped;
    case StatusCode::AlreadyExists:
      return ErrorKind::kAlreadyExists;
    default:
      return ErrorKind::kBug;
  }
}

}  // namespace

Status StatusOf(const arrow::Status& status) {
  if (status.ok()) return Status::Ok();
  if (const auto* carrier = dynamic_cast<const ErrorCarrier*>(status.detail().get()))
    return carrier->carried_error();
  return Error{KindOf(status), status.message()};
}

namespace columnar {

Status StartArrow() { return StatusOf(arrow::compute::Initialize()); }

}  // namespace columnar
}  // namespace calve
