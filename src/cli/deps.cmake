room_uses(fmt::fmt nlohmann_json::nlohmann_json Arrow::arrow Arrow::parquet CLI11::CLI11)
