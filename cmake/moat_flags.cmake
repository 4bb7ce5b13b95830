# Compiler flags of Moat's own targets. They are private: a consumer of the libraries keeps its own.
add_library(moat_flags INTERFACE)
target_compile_options(moat_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -fstack-protector-strong -fno-omit-frame-pointer)
target_compile_definitions(moat_flags INTERFACE _GLIBCXX_ASSERTIONS)
# Newer clangs want every member named; ours have defaults, and the strict one is what is left out.
include(CheckCXXCompilerFlag)
check_cxx_compiler_flag(-Wmissing-designated-field-initializers MOAT_HAS_DESIGNATED_WARNING)
if(MOAT_HAS_DESIGNATED_WARNING AND CMAKE_CXX_COMPILER_ID MATCHES Clang)
  target_compile_options(moat_flags INTERFACE -Wno-missing-designated-field-initializers)
endif()

if(MOAT_SANITIZE)
  target_compile_options(moat_flags INTERFACE -fsanitize=${MOAT_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(moat_flags INTERFACE -fsanitize=${MOAT_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
    # clang 14 cannot assemble coroutines under UBSan's function check.
    target_compile_options(moat_flags INTERFACE -fno-sanitize=function)
  endif()
elseif(CMAKE_BUILD_TYPE MATCHES "Rel")
  target_compile_options(moat_flags INTERFACE -fstack-clash-protection -fcf-protection
    -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
  target_link_options(moat_flags INTERFACE -Wl,-z,relro,-z,now)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  # g++ 12 warns of both where there is nothing, the more so with sanitizers (GCC bugs 105651 and 105562).
  # And a designated initialiser leaves the other members at their defaults on purpose; clang knows.
  target_compile_options(moat_flags INTERFACE -Wno-maybe-uninitialized -Wno-restrict
    -Wno-missing-field-initializers)
endif()
if(MOAT_FUZZ)
  target_compile_options(moat_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

find_program(MOAT_CCACHE ccache)
if(MOAT_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Another clone of the same sources finds what this one compiled.
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND};-E;env;CCACHE_NOHASHDIR=1;CCACHE_BASEDIR=${PROJECT_SOURCE_DIR};${MOAT_CCACHE}")
endif()
