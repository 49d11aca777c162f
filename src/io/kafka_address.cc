#include "io/kafka_address.h"

#include "base/text.h"

namespace calve::io {
namespace {

template <typename E>
std::string TextOf(E value) {
  for (const auto& name : NamesOf(value))
    if (name.value == value) return std::string(name.name);
  return "";
}

std::string PathIn(const std::string& folder, const std::string& path) {
  return path.starts_with('/') ? path : folder + "/" + path;
}

bool SignsIn(KafkaProtocol protocol) {
  return protocol == KafkaProtocol::kSaslPlaintext || protocol == KafkaProtocol::kSaslSsl;
}

}  // namespace

config::Names<KafkaProtocol> NamesOf(KafkaProtocol) {
  return {{"plaintext", KafkaProtocol::kPlaintext, "No TLS, nobody signs in."},
          {"ssl", KafkaProtocol::kSsl, "TLS; who has a certificate signs in by it."},
          {"sasl_plaintext", KafkaProtocol::kSaslPlaintext, "No TLS; sign in by sasl_mechanism."},
          {"sasl_ssl", KafkaProtocol::kSaslSsl, "TLS; sign in by sasl_mechanism."}};
}

config::Names<SaslMechanism> NamesOf(SaslMechanism) {
  return {{"PLAIN", SaslMechanism::kPlain, "Name and password as they are: with TLS only."},
          {"SCRAM-SHA-256", SaslMechanism::kScramSha256, "Name and password, proved by hashes."},
          {"SCRAM-SHA-512", SaslMechanism::kScramSha512, "The same with longer hashes."}};
}

config::Shape<KafkaAddress> KafkaAddress::Declaration() {
  using Options = KafkaAddress;
  config::Shape<Options> shape("Kafka cluster");
  shape.Required("brokers", &Options::brokers,
                 "Some servers of the cluster, with their ports; they tell of the others.",
                 {.example = "[\"localhost:9092\"]"});
  shape.Optional("security_protocol", &Options::security_protocol,
                 "Whether connections are encrypted, and whether one signs in.");
  shape.Optional("sasl_mechanism", &Options::sasl_mechanism, "How to sign in.");
  shape.Optional("username", &Options::username, "Who signs in.");
  shape.Optional("password", &Options::password, "The password.", {.secret = true});
  shape.Optional("ssl_ca", &Options::ssl_ca,
                 "The file of the certificates that the servers' are checked by.",
                 {.default_text = "those of the machine"});
  shape.Optional("ssl_certificate", &Options::ssl_certificate, "The file of our own certificate.");
  shape.Optional("ssl_key", &Options::ssl_key, "The file of its key.");
  shape.Optional("properties", &Options::properties,
                 "More settings of librdkafka, by its names, such as client.rack.");
  shape.Check("username", [](const Options& options) -> Status {
    if (SignsIn(options.security_protocol) != options.username.empty()) return Status::Ok();
    return ConfigError(
        options.username.empty()
            ? "security_protocol asks for somebody who signs in; set username and password"
            : "nobody signs in by this security_protocol; set sasl_ssl or sasl_plaintext");
  });
  return shape;
}

std::map<std::string, std::string> KafkaAddress::Settings(const std::string& folder) const {
  std::map<std::string, std::string> settings = properties;
  settings["bootstrap.servers"] = Join(brokers, ",");
  settings["security.protocol"] = TextOf(security_protocol);
  if (SignsIn(security_protocol)) {
    settings["sasl.mechanism"] = TextOf(sasl_mechanism);
    settings["sasl.username"] = username;
    settings["sasl.password"] = password;
  }
  if (!ssl_ca.empty()) settings["ssl.ca.location"] = PathIn(folder, ssl_ca);
  if (!ssl_certificate.empty())
    settings["ssl.certificate.location"] = PathIn(folder, ssl_certificate);
  if (!ssl_key.empty()) settings["ssl.key.location"] = PathIn(folder, ssl_key);
  return settings;
}

}  // namespace calve::io
