room_uses(Arrow::arrow Arrow::compute fmt::fmt nlohmann_json::nlohmann_json)
