room_uses(fmt::fmt Arrow::arrow Arrow::compute)
