# Precompiles the standard headers that most files include: once for all libraries and, with GoogleTest, once for all tests. A
# file must still include everything it uses: sanitizer builds have no precompiled headers and fail where an include is missing.
if(ATHANOR_SANITIZE)
  set(CMAKE_DISABLE_PRECOMPILE_HEADERS ON)
endif()

set(ATHANOR_COMMON_HEADERS
  <algorithm> <array> <atomic> <chrono> <cstdint> <functional> <map> <memory> <mutex> <optional> <set> <string> <string_view>
  <thread> <tl/expected.hpp> <utility> <vector>)

# All libraries are compiled with the same options and reuse the precompiled header of athanor_base. With <string> in a
# precompiled header, GCC 12 reports false buffer overruns for correct uses of std::string; builds without precompiled headers
# keep these warnings on.
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
