room_uses(fmt::fmt nlohmann_json::nlohmann_json Arrow::arrow Arrow::compute Arrow::parquet ICU::uc ICU::i18n)
