room_uses(fmt::fmt nlohmann_json::nlohmann_json Arrow::arrow Arrow::compute ICU::uc ICU::i18n)
