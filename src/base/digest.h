#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace calve {

/// The 32 bytes of SHA-256.
std::string Sha256(std::string_view bytes);
/// The 32 bytes of HMAC with SHA-256 (RFC 2104).
std::string HmacSha256(std::string_view key, std::string_view bytes);
/// Compare secrets without telling by the time it takes how far they agree.
bool SameSecret(std::string_view a, std::string_view b);
/// 43 characters that nobody can guess: 32 bytes of the operating system's, as base64url. Not drawn
/// from Random, whose other draws stand in the names of files.
std::string NewSecret();

std::string ToHex(std::string_view bytes);
std::optional<std::string> FromHex(std::string_view hex);
/// base64url without padding (RFC 4648, section 5).
std::string ToBase64Url(std::string_view bytes);
std::optional<std::string> FromBase64Url(std::string_view text);

}  // namespace calve
