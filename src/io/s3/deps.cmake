room_uses(Arrow::s3)
