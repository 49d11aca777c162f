room_uses(Thrift::hive_metastore)
