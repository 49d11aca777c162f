#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/option.h"

namespace calve::io {

/// As librdkafka's security.protocol.
enum class KafkaProtocol { kPlaintext, kSsl, kSaslPlaintext, kSaslSsl };
config::Names<KafkaProtocol> NamesOf(KafkaProtocol);

/// As librdkafka's sasl.mechanism, of those that need no Kerberos.
enum class SaslMechanism { kPlain, kScramSha256, kScramSha512 };
config::Names<SaslMechanism> NamesOf(SaslMechanism);

/// Options that say which Kafka cluster is meant, and how to sign in there.
struct KafkaAddress {
  std::vector<std::string> brokers;
  KafkaProtocol security_protocol = KafkaProtocol::kPlaintext;
  SaslMechanism sasl_mechanism = SaslMechanism::kScramSha512;
  std::string username;
  std::string password;
  std::string ssl_ca;
  std::string ssl_certificate;
  std::string ssl_key;
  std::map<std::string, std::string> properties;

  static config::Shape<KafkaAddress> Declaration();
  /// What librdkafka is told; `folder` is where relative paths begin.
  std::map<std::string, std::string> Settings(const std::string& folder) const;
};

}  // namespace calve::io
