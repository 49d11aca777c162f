room_uses(LibXml2::LibXml2)
