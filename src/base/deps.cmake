room_uses(fmt::fmt re2::re2 OpenSSL::Crypto Threads::Threads)
