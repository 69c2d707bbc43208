# The standard headers that most files include, compiled once for all libraries and once, with GoogleTest, for all tests. A file
# still includes whatever it uses: builds with sanitizers do without precompiled headers and fail where an include is missing.
if(ATHANOR_SANITIZE)
  set(CMAKE_DISABLE_PRECOMPILE_HEADERS ON)
endif()

set(ATHANOR_COMMON_HEADERS
  <algorithm> <array> <atomic> <chrono> <cstdint> <functional> <map> <memory> <mutex> <optional> <set> <string> <string_view>
  <thread> <tl/expected.hpp> <utility> <vector>)

# The libraries share what athanor_base compiles; they are compiled with the same options. GCC 12 takes correct uses of std::string
# for overruns when <string> comes from a precompiled header; the builds without one keep these warnings.
function(athanor_precompile_library name)
  if(name STREQUAL athanor_base)
    target_precompile_headers(${name} PRIVATE ${ATHANOR_COMMON_HEADERS})
  else()
    target_precompile_headers(${name} REUSE_FROM athanor_base)
  endif()
  if(NOT CMAKE_DISABLE_PRECOMPILE_HEADERS)
    target_compile_options(${name} PRIVATE -Wno-array-bounds -Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread)
  endif()
endfunction()
