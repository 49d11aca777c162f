#include "base/log.h"

#include <cstdio>

#include "base/text.h"
#include "base/time.h"

namespace calve {

void StderrLog::Write(LogLevel level, std::string_view message,
                      std::initializer_list<LogField> fields) {
  if (level < level_) return;
  static constexpr std::string_view kNames[] = {"debug", "info", "warn", "error"};
  std::string line = FormatTimestamp(clock_->Now());
  line += ' ';
  line += kNames[static_cast<size_t>(level)];
  line += ' ';
  line += message;
  for (const auto& [key, value] : fields) {
    line += ' ';
    line += key;
    line += '=';
    const bool plain = value.find_first_of(" \"=\n") == std::string::npos;
    line += plain ? value : Quote(value);
  }
  line += '\n';
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace calve
