# Language, output folders, build kinds. One place for what every target shares.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
string(REPLACE "-O3" "-O2" CMAKE_CXX_FLAGS_RELEASE "${CMAKE_CXX_FLAGS_RELEASE}")

find_program(ATHANOR_CCACHE ccache)
if(ATHANOR_CCACHE)
  # ccache caches files that use a precompiled header only when it is allowed to ignore these.
  set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_SLOPPINESS=pch_defines,time_macros ${ATHANOR_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${ATHANOR_CCACHE})
endif()

set(ATHANOR_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= takes them: address,undefined or thread")
if(ATHANOR_SANITIZE)
  add_compile_options(-fsanitize=${ATHANOR_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${ATHANOR_SANITIZE})
endif()
# Fuzzers: every room counts which of its branches an input reaches. Clang only, whose warnings are not ours.
option(ATHANOR_FUZZ "Build the libFuzzer targets (clang)" OFF)
if(ATHANOR_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link -w)
endif()
# Position-independent, and only the libraries that are really used: start-up is part of the product.
include(CheckPIESupported)
check_pie_supported()
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
add_link_options(-Wl,--as-needed -Wl,-O1)

# Hardened, where optimisation pays for it: FORTIFY checks nothing without. Sanitizers have checks of their own. Everything that is
# loaded is bound at the start and read-only from then on. tests/build/hardening_test.py looks at the programs.
set(athanor_optimised "$<CONFIG:Release,RelWithDebInfo,MinSizeRel>")
if(NOT ATHANOR_SANITIZE AND NOT ATHANOR_FUZZ)
  add_compile_definitions("$<${athanor_optimised}:_FORTIFY_SOURCE=3>")
  add_compile_options("$<${athanor_optimised}:-fstack-protector-strong;-fstack-clash-protection>")
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    add_compile_options("$<${athanor_optimised}:-fcf-protection=full>")
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
    add_compile_options("$<${athanor_optimised}:-mbranch-protection=standard>")
  endif()
endif()
add_link_options(-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
