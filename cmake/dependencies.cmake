# All third-party libraries as targets, found once. They are Debian 12 packages; `make deps` installs them.
find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(LIBPQ REQUIRED IMPORTED_TARGET libpq)
find_package(ZLIB REQUIRED)

# Link statically where possible: the command line starts in milliseconds because the dynamic loader has little to do.
find_library(ATHANOR_PQXX_LIBRARY NAMES libpqxx.a REQUIRED)
find_library(ATHANOR_PG_QUERY_LIBRARY NAMES libpg_query.a REQUIRED)
find_library(ATHANOR_YAML_LIBRARY NAMES libyaml-cpp.a REQUIRED)
find_library(ATHANOR_ARCHIVE_LIBRARY NAMES libarchive.a REQUIRED)
find_library(ATHANOR_ABSL_TIME_LIBRARY NAMES libabsl_time.a REQUIRED)
find_library(ATHANOR_ABSL_TIME_ZONE_LIBRARY NAMES libabsl_time_zone.a REQUIRED)
find_library(ATHANOR_ABSL_INT128_LIBRARY NAMES libabsl_int128.a REQUIRED)

add_library(athanor_pqxx INTERFACE)
target_link_libraries(athanor_pqxx INTERFACE ${ATHANOR_PQXX_LIBRARY} PkgConfig::LIBPQ)
add_library(athanor_pg_query INTERFACE)
target_link_libraries(athanor_pg_query INTERFACE ${ATHANOR_PG_QUERY_LIBRARY} Threads::Threads)
add_library(athanor_yaml INTERFACE)
target_link_libraries(athanor_yaml INTERFACE ${ATHANOR_YAML_LIBRARY})
# The shared one loads libxml2 and 33 MB of ICU for formats that nobody asks it for.
add_library(athanor_archive STATIC IMPORTED GLOBAL)
set_target_properties(athanor_archive PROPERTIES IMPORTED_LOCATION ${ATHANOR_ARCHIVE_LIBRARY} INTERFACE_LINK_LIBRARIES ZLIB::ZLIB)
add_library(athanor_absl_time INTERFACE)
target_link_libraries(athanor_absl_time INTERFACE
  ${ATHANOR_ABSL_TIME_LIBRARY} ${ATHANOR_ABSL_TIME_ZONE_LIBRARY} ${ATHANOR_ABSL_INT128_LIBRARY} Threads::Threads)

# tl::expected and nlohmann/json are header-only.
add_library(athanor_json INTERFACE)
target_link_libraries(athanor_json INTERFACE nlohmann_json::nlohmann_json)
