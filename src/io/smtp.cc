#include "io/smtp.h"

#include <curl/curl.h>

#include <algorithm>
#include <memory>

#include "base/text.h"

namespace calve::io {
namespace {

/// Keep header fields on one line, whatever stands in them.
std::string OneLine(std::string text) {
  std::replace_if(text.begin(), text.end(), [](char c) { return c == '\r' || c == '\n'; }, ' ');
  return text;
}

std::string MessageOf(const Context& context, const Mail& mail) {
  std::string message =
      "From: " + OneLine(mail.from) + "\r\nTo: " + OneLine(Join(mail.to, ", ")) +
      "\r\nSubject: " + OneLine(mail.subject) + "\r\nMessage-ID: <" +
      NewUuidString(*context.random) + "@calve>\r\nMIME-Version: 1.0\r\n" +
      "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n";
  for (const char c : mail.text) {
    if (c == '\n') message += '\r';
    message += c;
  }
  return message + "\r\n";
}

struct Upload {
  std::string_view rest;
};

size_t ReadUpload(char* out, size_t size, size_t count, void* upload) {
  std::string_view& rest = static_cast<Upload*>(upload)->rest;
  const size_t taken = rest.copy(out, size * count);
  rest.remove_prefix(taken);
  return taken;
}

int StopWhenAsked(void* context, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const Context*>(context)->stop.stop_requested() ? 1 : 0;
}

Error ErrorOf(CURLcode code, const SmtpServer& server, bool sent) {
  const std::string doing = "hand a mail to " + server.host + ":" + std::to_string(server.port);
  const std::string reason = curl_easy_strerror(code);
  switch (code) {
    case CURLE_ABORTED_BY_CALLBACK:
      return StoppedError("stopped on request");
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
      return TransientError("cannot " + doing + ": " + reason + "; is the server there?");
    case CURLE_LOGIN_DENIED:
      return RefusedError("cannot " + doing + ": the user name or the password is wrong");
    case CURLE_USE_SSL_FAILED:
      return RefusedError(
          "cannot " + doing +
          ": the server offers no STARTTLS; set tls: none only for a relay on this machine");
    default:
      if (sent)
        return UnknownOutcomeError("whether the mail reached " + server.host +
                                   " is not known: " + reason);
      return RefusedError("cannot " + doing + ": " + reason);
  }
}

}  // namespace

Status SendMail(const Context& context, const SmtpServer& server, const Mail& mail) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(),
                                                                 &curl_easy_cleanup);
  if (curl == nullptr) return BugError("libcurl gave no handle");
  curl_slist* list = nullptr;
  for (const std::string& to : mail.to) list = curl_slist_append(list, OneLine(to).c_str());
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> recipients(
      list, &curl_slist_free_all);
  const std::string message = MessageOf(context, mail);
  Upload upload{message};
  const std::string scheme = server.tls == SmtpTls::kTls ? "smtps://" : "smtp://";
  const std::string url = scheme + server.host + ":" + std::to_string(server.port);
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_USE_SSL,
                   server.tls == SmtpTls::kStartTls ? CURLUSESSL_ALL : CURLUSESSL_NONE);
  if (!server.username.empty()) {
    curl_easy_setopt(curl.get(), CURLOPT_USERNAME, server.username.c_str());
    curl_easy_setopt(curl.get(), CURLOPT_PASSWORD, server.password.c_str());
  }
  const std::string from = OneLine(mail.from);
  curl_easy_setopt(curl.get(), CURLOPT_MAIL_FROM, from.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_MAIL_RCPT, recipients.get());
  curl_easy_setopt(curl.get(), CURLOPT_READFUNCTION, &ReadUpload);
  curl_easy_setopt(curl.get(), CURLOPT_READDATA, &upload);
  curl_easy_setopt(curl.get(), CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(server.timeout.count()));
  curl_easy_setopt(curl.get(), CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl.get(), CURLOPT_XFERINFOFUNCTION, &StopWhenAsked);
  curl_easy_setopt(curl.get(), CURLOPT_XFERINFODATA, const_cast<Context*>(&context));
  const CURLcode code = curl_easy_perform(curl.get());
  if (code == CURLE_OK) return Status::Ok();
  return ErrorOf(code, server, upload.rest.empty());
}

}  // namespace calve::io
