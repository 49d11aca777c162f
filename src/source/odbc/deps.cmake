room_uses(ODBC::ODBC)
