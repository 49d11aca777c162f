#include "io/sigv4.h"

#include <algorithm>
#include <map>

#include "base/digest.h"
#include "base/text.h"
#include "io/uri.h"

namespace calve::io {
namespace {

/// 20260821T093000Z
std::string CompactTime(Timestamp now) {
  std::string text;
  for (const char c : FormatTimestamp(now).substr(0, 19)) {
    if (c != '-' && c != ':') text += c;
  }
  return text + "Z";
}

/// What stands in the Host header: the port is left out where the scheme implies it.
std::string HostOf(const Uri& uri) {
  std::string host = uri.authority.substr(uri.authority.rfind('@') + 1);
  const std::string_view implied = uri.scheme == "https" ? ":443" : ":80";
  if (host.ends_with(implied)) host.resize(host.size() - implied.size());
  return host;
}

std::string Reencode(std::string_view text) {
  auto decoded = PercentDecode(text);
  return PercentEncode(decoded.ok() ? *decoded : std::string(text));
}

std::string CanonicalQuery(std::string_view query) {
  if (query.empty()) return "";
  std::vector<std::string> pairs;
  for (const std::string& part : Split(query, '&')) {
    const size_t equals = part.find('=');
    const std::string value = equals == std::string::npos ? "" : part.substr(equals + 1);
    pairs.push_back(Reencode(part.substr(0, equals)) + "=" + Reencode(value));
  }
  std::ranges::sort(pairs);
  return Join(pairs, "&");
}

/// Header values without outer blanks, inner runs of blanks as one.
std::string Collapsed(std::string_view value) {
  std::string collapsed;
  for (const char c : Trim(value)) {
    if (c != ' ' || !collapsed.ends_with(' ')) collapsed += c;
  }
  return collapsed;
}

struct CanonicalHeaders {
  std::string lines;
  std::string names;
};

CanonicalHeaders Canonical(const HttpHeaders& headers, const std::string& host) {
  std::map<std::string, std::string> sorted{{"host", host}};
  for (const auto& [name, value] : headers) {
    auto [at, added] = sorted.try_emplace(ToLower(name), Collapsed(value));
    if (!added) at->second += "," + Collapsed(value);
  }
  CanonicalHeaders canonical;
  for (const auto& [name, value] : sorted) {
    canonical.lines += name + ":" + value + "\n";
    canonical.names += (canonical.names.empty() ? "" : ";") + name;
  }
  return canonical;
}

}  // namespace

HttpHeaders SignatureHeaders(const HttpRequest& request, const AwsSignature& signature,
                             Timestamp now) {
  const std::string time = CompactTime(now);
  const std::string day = time.substr(0, 8);
  const std::string payload = ToHex(Sha256(request.body));

  HttpHeaders added{{"x-amz-date", time}, {"x-amz-content-sha256", payload}};
  if (!signature.session_token.empty()) {
    added.emplace_back("x-amz-security-token", signature.session_token);
  }
  HttpHeaders all = request.headers;
  all.insert(all.end(), added.begin(), added.end());

  const std::string url = request.url.substr(0, request.url.find('#'));
  const size_t question = url.find('?');
  auto parsed = ParseUri(url.substr(0, question));
  const Uri uri = parsed.ok() ? *parsed : Uri{};  // a wrong URL fails when it is sent
  const std::string path = "/" + uri.path;
  const CanonicalHeaders headers = Canonical(all, HostOf(uri));
  const std::string canonical =
      request.method + "\n" + (signature.service == "s3" ? path : PercentEncode(path, "/")) + "\n" +
      CanonicalQuery(question == std::string::npos ? "" : url.substr(question + 1)) + "\n" +
      headers.lines + "\n" + headers.names + "\n" + payload;

  const std::string scope =
      day + "/" + signature.region + "/" + signature.service + "/aws4_request";
  const std::string to_sign =
      "AWS4-HMAC-SHA256\n" + time + "\n" + scope + "\n" + ToHex(Sha256(canonical));
  std::string key = HmacSha256("AWS4" + signature.secret_access_key, day);
  key = HmacSha256(key, signature.region);
  key = HmacSha256(key, signature.service);
  key = HmacSha256(key, "aws4_request");
  added.emplace_back("authorization", "AWS4-HMAC-SHA256 Credential=" + signature.access_key_id +
                                          "/" + scope + ", SignedHeaders=" + headers.names +
                                          ", Signature=" + ToHex(HmacSha256(key, to_sign)));
  return added;
}

}  // namespace calve::io
