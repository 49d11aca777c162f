room_uses(fmt::fmt nlohmann_json::nlohmann_json ZLIB::ZLIB zstd::libzstd_shared lz4::lz4 roaring::roaring)
