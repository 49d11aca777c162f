room_uses(fmt::fmt nlohmann_json::nlohmann_json OpenSSL::Crypto)
