room_uses(fmt::fmt nlohmann_json::nlohmann_json Arrow::arrow CURL::libcurl OpenSSL::Crypto ZLIB::ZLIB zstd::libzstd_shared BZip2::BZip2 LibLZMA::LibLZMA SQLite::SQLite3 PostgreSQL::PostgreSQL)
