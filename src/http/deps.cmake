room_uses(fmt::fmt RESTinio::restinio)
