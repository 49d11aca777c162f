# Declare every third-party library as one target. A room names the ones that it includes in src/<room>/deps.cmake; ARCHITECTURE.md says
# which rooms may.

set(CALVE_DEPS_DIR ${CMAKE_SOURCE_DIR}/.deps CACHE PATH "Where tools/bootstrap put Arrow and DuckDB")
if(NOT EXISTS ${CALVE_DEPS_DIR}/arrow/include/arrow/api.h OR NOT EXISTS ${CALVE_DEPS_DIR}/duckdb-headers/include/duckdb.hpp
   OR NOT EXISTS ${CALVE_DEPS_DIR}/adbc-driver-manager/src/arrow-adbc/adbc.h)
  message(FATAL_ERROR "Arrow, DuckDB or the manager of ADBC's drivers is missing in ${CALVE_DEPS_DIR}: run tools/bootstrap (or make deps)")
endif()

# A shared library out of .deps.
function(calve_import target file include)
  add_library(${target} SHARED IMPORTED GLOBAL)
  set_target_properties(${target} PROPERTIES IMPORTED_LOCATION ${CALVE_DEPS_DIR}/${file})
  target_include_directories(${target} SYSTEM INTERFACE ${CALVE_DEPS_DIR}/${include})
  target_link_libraries(${target} INTERFACE ${ARGN})
endfunction()

# A library of the system that comes without a CMake package.
function(calve_find target library)
  string(MAKE_C_IDENTIFIER ${target}_file variable)
  find_library(${variable} ${library} REQUIRED)
  mark_as_advanced(${variable})
  add_library(${target} UNKNOWN IMPORTED GLOBAL)
  set_target_properties(${target} PROPERTIES IMPORTED_LOCATION ${${variable}})
endfunction()

set(so so.2600)
calve_import(Arrow::arrow arrow/lib/libarrow.${so} arrow/include)
calve_import(Arrow::compute arrow/lib/libarrow_compute.${so} arrow/include Arrow::arrow)
calve_import(Arrow::acero arrow/lib/libarrow_acero.${so} arrow/include Arrow::compute)
calve_import(Arrow::parquet arrow/lib/libparquet.${so} arrow/include Arrow::arrow)
calve_import(Arrow::dataset arrow/lib/libarrow_dataset.${so} arrow/include Arrow::acero Arrow::parquet)
# Linking this library makes every start of the program slower; io can load it at first use instead.
calve_import(Arrow::s3 arrow/lib/libarrow_s3.${so} arrow/include Arrow::arrow)
calve_import(DuckDB::duckdb duckdb-library/lib/libduckdb.so duckdb-headers/include)

set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ON)
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(roaring REQUIRED)
find_package(zstd REQUIRED)
find_package(Snappy REQUIRED)
find_package(ZLIB REQUIRED)
find_package(BZip2 REQUIRED)
find_package(LibLZMA REQUIRED)
find_package(CURL REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(PostgreSQL REQUIRED)
find_package(LibArchive REQUIRED)
find_package(LibXml2 REQUIRED)
find_package(ICU REQUIRED COMPONENTS uc i18n data)
find_package(GTest REQUIRED)
find_package(benchmark REQUIRED)
calve_find(lz4::lz4 lz4)
# RESTinio and asio are headers; its parser of requests is a library.
calve_find(RESTinio::restinio http_parser)
calve_find(re2::re2 re2)
calve_find(yaml::yaml yaml)

# libparquet has a Thrift of another version inside and would bind to one that it sees: ours is linked in, and shown to
# no library.
find_library(CALVE_THRIFT_ARCHIVE libthrift.a REQUIRED)
add_library(calve_thrift INTERFACE)
target_link_libraries(calve_thrift INTERFACE ${CALVE_THRIFT_ARCHIVE} OpenSSL::SSL OpenSSL::Crypto)
target_link_options(calve_thrift INTERFACE -Wl,--exclude-libs,ALL)
add_library(Thrift::thrift ALIAS calve_thrift)

# MariaDB's client library speaks to MySQL, too. Linked in, and shown to no library; what it loads at a login that needs it (caching_sha2_password) lies
# in Debian's libmariadb3.
find_library(CALVE_MARIADB_ARCHIVE libmariadb.a REQUIRED)
find_path(CALVE_MARIADB_HEADERS mysql.h PATH_SUFFIXES mariadb REQUIRED)
add_library(calve_mariadb INTERFACE)
target_include_directories(calve_mariadb SYSTEM INTERFACE ${CALVE_MARIADB_HEADERS})
target_link_libraries(calve_mariadb INTERFACE ${CALVE_MARIADB_ARCHIVE} OpenSSL::SSL OpenSSL::Crypto ZLIB::ZLIB ${CMAKE_DL_LIBS})
target_link_options(calve_mariadb INTERFACE -Wl,--exclude-libs,ALL)
add_library(MariaDB::mariadb ALIAS calve_mariadb)

# The machine's ODBC driver manager, which finds the drivers that are installed there.
find_library(CALVE_ODBC libodbc.so REQUIRED)
find_path(CALVE_ODBC_HEADERS sqlext.h REQUIRED)
add_library(calve_odbc INTERFACE)
target_include_directories(calve_odbc SYSTEM INTERFACE ${CALVE_ODBC_HEADERS})
target_link_libraries(calve_odbc INTERFACE ${CALVE_ODBC})
add_library(ODBC::ODBC ALIAS calve_odbc)

# The manager of ADBC's drivers. libduckdb has functions of the same names: these are shown to no library.
set(adbc_folder ${CALVE_DEPS_DIR}/adbc-driver-manager/src)
set(adbc_sources)
foreach(name IN ITEMS adbc_driver_manager adbc_driver_manager_api adbc_driver_manager_driver_loading adbc_driver_manager_profiles)
  list(APPEND adbc_sources ${adbc_folder}/${name}.cc)
endforeach()
add_library(calve_adbc_manager STATIC ${adbc_sources})
target_compile_options(calve_adbc_manager PRIVATE -w)
set_target_properties(calve_adbc_manager PROPERTIES CXX_VISIBILITY_PRESET hidden)
target_include_directories(calve_adbc_manager SYSTEM PUBLIC ${adbc_folder})
target_link_libraries(calve_adbc_manager PUBLIC ${CMAKE_DL_LIBS})
add_library(ADBC::driver_manager ALIAS calve_adbc_manager)

# librdkafka, of its source: with SCRAM and OAUTHBEARER, which need OpenSSL alone, but without Kerberos.
function(calve_add_rdkafka)
  set(CMAKE_POLICY_DEFAULT_CMP0077 NEW)
  set(RDKAFKA_BUILD_STATIC ON)
  set(RDKAFKA_BUILD_EXAMPLES OFF)
  set(RDKAFKA_BUILD_TESTS OFF)
  set(WITH_CURL OFF)
  set(WITH_PLUGINS OFF)
  set(WITH_SASL OFF)
  set(WITH_SASL_SCRAM ON)
  set(WITH_SASL_OAUTHBEARER ON)
  set(ENABLE_LZ4_EXT OFF)
  set(WITH_SSL ON)
  set(WITH_ZSTD ON)
  add_subdirectory(${CALVE_DEPS_DIR}/librdkafka ${CMAKE_BINARY_DIR}/librdkafka EXCLUDE_FROM_ALL SYSTEM)
  target_compile_options(rdkafka PRIVATE -w)
endfunction()
calve_add_rdkafka()
add_library(RdKafka::rdkafka ALIAS rdkafka)

# The Hive Metastore's interface, as C++ by Thrift's compiler.
find_program(CALVE_THRIFT thrift REQUIRED)
set(hive_metastore_idl ${CMAKE_SOURCE_DIR}/src/catalog/hive/hive_metastore.thrift)
set(hive_metastore_folder ${CMAKE_BINARY_DIR}/generated/thrift/hive_metastore)
file(MAKE_DIRECTORY ${hive_metastore_folder})
add_custom_command(
  OUTPUT ${hive_metastore_folder}/HiveMetastore.cpp ${hive_metastore_folder}/hive_metastore_types.cpp
  COMMAND ${CALVE_THRIFT} --gen cpp:no_skeleton -out ${hive_metastore_folder} ${hive_metastore_idl}
  DEPENDS ${hive_metastore_idl}
  COMMENT "C++ of the Hive Metastore's interface"
  VERBATIM)
add_library(calve_hive_metastore STATIC ${hive_metastore_folder}/HiveMetastore.cpp ${hive_metastore_folder}/hive_metastore_types.cpp)
target_include_directories(calve_hive_metastore SYSTEM INTERFACE ${CMAKE_BINARY_DIR}/generated/thrift)
target_link_libraries(calve_hive_metastore PUBLIC Thrift::thrift)
add_library(Thrift::hive_metastore ALIAS calve_hive_metastore)
