# The settings that all targets share: language, output folders, build types.
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
  # ccache caches compilations with a precompiled header only with this sloppiness.
  set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_SLOPPINESS=pch_defines,time_macros ${ATHANOR_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${ATHANOR_CCACHE})
endif()

set(ATHANOR_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= takes them: address,undefined or thread")
if(ATHANOR_SANITIZE)
  add_compile_options(-fsanitize=${ATHANOR_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${ATHANOR_SANITIZE})
endif()
# Fuzzers need coverage instrumentation in every library. Only clang supports it; its additional warnings are disabled.
option(ATHANOR_FUZZ "Build the libFuzzer targets (clang)" OFF)
if(ATHANOR_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link -w)
endif()
# Build position-independent executables. Link only the libraries that are used, because each one costs start-up time.
include(CheckPIESupported)
check_pie_supported()
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
add_link_options(-Wl,--as-needed -Wl,-O1)

# Hardening for optimised builds: FORTIFY has no effect without optimisation, and sanitizers have their own checks. All symbols
# are bound at startup and the relocation table is read-only from then on. tests/build/hardening_test.py checks the programs.
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
