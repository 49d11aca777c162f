room_uses(fmt::fmt nlohmann_json::nlohmann_json Arrow::arrow Arrow::compute re2::re2)
