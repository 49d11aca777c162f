room_uses(Arrow::arrow fmt::fmt)
