room_uses(fmt::fmt Arrow::arrow Arrow::compute re2::re2)
