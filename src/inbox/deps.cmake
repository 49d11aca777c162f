room_uses(fmt::fmt)
