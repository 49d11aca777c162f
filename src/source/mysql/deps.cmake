room_uses(MariaDB::mariadb)
