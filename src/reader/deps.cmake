room_uses(Arrow::arrow Arrow::compute Arrow::parquet fmt::fmt)
