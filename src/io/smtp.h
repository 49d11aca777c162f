#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/result.h"

namespace calve::io {

/// How the connection to a mail server is kept private.
enum class SmtpTls { kStartTls, kTls, kNone };

struct SmtpServer {
  std::string host;
  uint16_t port = 587;
  SmtpTls tls = SmtpTls::kStartTls;
  std::string username;  ///< Empty: nobody signs in.
  std::string password;
  std::chrono::milliseconds timeout{30'000};
};

struct Mail {
  std::string from;
  std::vector<std::string> to;
  std::string subject;  ///< One line.
  std::string text;     ///< UTF-8; lines end with LF.
};

/// Hand one mail to a server. Fails with kTransient when the server cannot be reached,
/// kUnknownOutcome when the connection broke after the mail was sent, kRefused when the server says
/// no. The password enters no message.
Status SendMail(const Context& context, const SmtpServer& server, const Mail& mail);

}  // namespace calve::io
