#!/usr/bin/env bash
# A real Hive Metastore 4.0.1 for tests, over the PostgreSQL of postgres.sh, which runs before it (see hive_metastore.sh).
HIVE_VERSION=4.0.1 exec "$(dirname "$0")/hive_metastore.sh"
