room_uses(ADBC::driver_manager)
