#pragma once

#include <string_view>

#include "base/result.h"

namespace calve::pipeline {

/// See that a text is a cron expression of five fields: minute, hour, day of the month, month and
/// weekday, each `*`, numbers, ranges and steps in a list; months and weekdays by their English names
/// too. Fails with kConfig naming the field.
Status CheckCron(std::string_view text);

}  // namespace calve::pipeline
