# Warnings are errors in our own code: link athanor_warnings PRIVATE. Library headers are included as SYSTEM and exempt.
# -Wnull-dereference is left out because GCC 12 reports it in its own <streambuf>.
add_library(athanor_warnings INTERFACE)
target_compile_options(athanor_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Wold-style-cast
  -Woverloaded-virtual -Wimplicit-fallthrough -Wextra-semi -Werror)
if(ATHANOR_SANITIZE)
  # With sanitizers, GCC's flow analysis reports false positives, for example in its own <regex>.
  target_compile_options(athanor_warnings INTERFACE -Wno-maybe-uninitialized)
endif()

# athanor_library(name SOURCES ... LINK ... [PRIVATE_LINK ...]): one of our static libraries, with warnings and precompiled
# headers.
function(athanor_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;PRIVATE_LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${ARG_LINK} PRIVATE athanor_warnings ${ARG_PRIVATE_LINK})
  athanor_precompile_library(${name})
endfunction()
