#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace calve {

enum class LogLevel { kDebug, kInfo, kWarn, kError };

/// One key=value pair of a log line. Row values and secrets never go in.
using LogField = std::pair<std::string_view, std::string>;

/// Where log lines go. Threads: any.
class Log {
 public:
  virtual ~Log() = default;
  virtual void Write(LogLevel level, std::string_view message,
                     std::initializer_list<LogField> fields) = 0;

  void Debug(std::string_view message, std::initializer_list<LogField> fields = {}) {
    Write(LogLevel::kDebug, message, fields);
  }
  void Info(std::string_view message, std::initializer_list<LogField> fields = {}) {
    Write(LogLevel::kInfo, message, fields);
  }
  void Warn(std::string_view message, std::initializer_list<LogField> fields = {}) {
    Write(LogLevel::kWarn, message, fields);
  }
};

/// Drop every line.
class NullLog : public Log {
 public:
  void Write(LogLevel, std::string_view, std::initializer_list<LogField>) override {}
};

/// Print lines of at least `level` to standard error as `time level message key=value ...`.
class StderrLog : public Log {
 public:
  StderrLog(LogLevel level, class Clock* clock) : level_(level), clock_(clock) {}
  void Write(LogLevel level, std::string_view message,
             std::initializer_list<LogField> fields) override;

 private:
  LogLevel level_;
  Clock* clock_;
};

}  // namespace calve
