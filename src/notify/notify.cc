#include "notify/notify.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "io/smtp.h"

namespace calve::notify {
namespace {

using nlohmann::json;

std::string TextOf(const Notice& notice) {
  std::string text = notice.title + "\n";
  for (const std::string& line : notice.lines) text += line + "\n";
  return text;
}

Result<io::HttpResponse> Post(const Context& context, io::HttpClient& http, const std::string& url,
                              io::HttpHeaders headers, const json& body) {
  io::HttpRequest request;
  request.method = "POST";
  request.url = url;
  request.headers = std::move(headers);
  request.headers.emplace_back("Content-Type", "application/json; charset=utf-8");
  request.body = body.dump(-1, ' ', false, json::error_handler_t::replace);
  CALVE_ASSIGN_OR_RETURN(io::HttpResponse reply, http.Send(context, request));
  if (!reply.ok()) return io::HttpStatusError("post a notice", request, reply);
  return reply;
}

/// An incoming webhook answers "ok"; the Web API answers 200 with {"ok": false, "error": ...} when
/// it refuses.
Status TellSlack(const Context& context, io::HttpClient& http, const config::SlackOptions& slack,
                 const Notice& notice) {
  std::string text = "*" + notice.title + "*";
  for (const std::string& line : notice.lines) text += "\n" + line;
  if (!slack.webhook_url.empty())
    return StatusOf(Post(context, http, slack.webhook_url, {}, {{"text", text}}));
  CALVE_ASSIGN_OR_RETURN(const io::HttpResponse reply,
                         Post(context, http, slack.api_url + "/chat.postMessage",
                              {{"Authorization", "Bearer " + slack.token}},
                              {{"channel", slack.channel}, {"text", text}}));
  const json said = json::parse(reply.body, nullptr, /*allow_exceptions=*/false);
  if (said.is_object() && said.value("ok", false)) return Status::Ok();
  const std::string reason =
      said.is_object() ? said.value("error", "no reason given") : "the reply was no JSON";
  return RefusedError("Slack did not take the notice: " + reason +
                      "; check the token's rights and the channel");
}

Status TellByMail(const Context& context, const config::EmailOptions& email, const Notice& notice) {
  io::SmtpServer server{.host = email.host,
                        .port = email.port,
                        .username = email.username,
                        .password = email.password};
  switch (email.tls) {
    case config::EmailTls::kStartTls:
      server.tls = io::SmtpTls::kStartTls;
      break;
    case config::EmailTls::kTls:
      server.tls = io::SmtpTls::kTls;
      break;
    case config::EmailTls::kNone:
      server.tls = io::SmtpTls::kNone;
      break;
  }
  return io::SendMail(context, server,
                      {.from = email.from,
                       .to = email.to,
                       .subject = "calve: " + notice.title,
                       .text = TextOf(notice)});
}

Status TellWebhook(const Context& context, io::HttpClient& http,
                   const config::WebhookOptions& webhook, const Notice& notice) {
  io::HttpHeaders headers(webhook.headers.begin(), webhook.headers.end());
  return StatusOf(Post(context, http, webhook.url, std::move(headers),
                       {{"title", notice.title}, {"lines", notice.lines}}));
}

}  // namespace

std::vector<Told> Tell(const Context& context, io::HttpClient& http,
                       const config::NotificationOptions& options,
                       const std::vector<std::string>& channels, const Notice& notice) {
  std::vector<Told> told;
  for (const std::string& channel : channels) {
    if (channel == "slack" && options.slack.is_on()) {
      const std::string where =
          options.slack.channel.empty() ? "Slack" : "Slack " + options.slack.channel;
      told.push_back({.channel = where, .status = TellSlack(context, http, options.slack, notice)});
    } else if (channel == "email" && options.email.is_on()) {
      told.push_back({.channel = "e-mail to " + Join(options.email.to, ", "),
                      .status = TellByMail(context, options.email, notice)});
    } else if (channel == "webhook" && options.webhook.is_on()) {
      told.push_back(
          {.channel = "webhook", .status = TellWebhook(context, http, options.webhook, notice)});
    }
  }
  return told;
}

}  // namespace calve::notify
