# Warnings are errors for our own code. (-Wnull-dereference is left out: GCC 12 finds it in its own <streambuf>.) Link athanor_warnings PRIVATE; headers of libraries come in as SYSTEM.
add_library(athanor_warnings INTERFACE)
target_compile_options(athanor_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Wold-style-cast
  -Woverloaded-virtual -Wimplicit-fallthrough -Wextra-semi -Werror)
if(ATHANOR_SANITIZE)
  # GCC's flow analysis sees ghosts in instrumented code, its own <regex> among them.
  target_compile_options(athanor_warnings INTERFACE -Wno-maybe-uninitialized)
endif()

# athanor_library(name SOURCES ... LINK ... [PRIVATE_LINK ...]): a room of the house.
function(athanor_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;PRIVATE_LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${ARG_LINK} PRIVATE athanor_warnings ${ARG_PRIVATE_LINK})
  athanor_precompile_library(${name})
endfunction()
