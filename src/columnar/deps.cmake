room_uses(Arrow::arrow Arrow::compute fmt::fmt)
