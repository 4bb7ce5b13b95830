# moat_module(NAME jwt
#   HEADERS jwt.h …        public headers, installed and included as "moat/jwt/jwt.h"
#   SOURCES jwt.cc …
#   DEPS base …            rooms this one's public headers need (moat::base …) or other targets
#   PRIVATE_DEPS …         targets only the sources need (OpenSSL::Crypto …)
#   TESTS jwt_test.cc …    GoogleTest files beside the code, one program a room: test_jwt
#   TEST_DEPS …            what only the tests need
#   FUZZ jwt …             x_fuzz.cc with `void fuzz(std::span<const std::uint8_t>)`; corpus in fuzz/corpus/x/
# )
# gives the static library moat_jwt with the alias moat::jwt, the test program, the corpus replays
# (fuzz_x replays under ctest; with MOAT_FUZZ a libFuzzer program fuzz_x_run comes too).
function(moat_module)
  cmake_parse_arguments(M "" "NAME" "HEADERS;SOURCES;DEPS;PRIVATE_DEPS;TESTS;TEST_DEPS;FUZZ" ${ARGN})
  set(target moat_${M_NAME})
  add_library(${target} STATIC ${M_SOURCES})
  add_library(moat::${M_NAME} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${M_NAME})
  target_sources(${target} PUBLIC FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}" FILES ${M_HEADERS})
  target_compile_features(${target} PUBLIC cxx_std_20)
  moat_resolve(public ${M_DEPS})
  moat_resolve(private ${M_PRIVATE_DEPS})
  target_link_libraries(${target} PUBLIC ${public} PRIVATE ${private} $<BUILD_INTERFACE:moat_flags>)
  set_property(GLOBAL APPEND PROPERTY MOAT_MODULES ${target})

  if(NOT MOAT_TESTS)
    return()
  endif()
  if(M_TESTS)
    moat_resolve(test_deps ${M_TEST_DEPS})
    add_executable(test_${M_NAME} ${M_TESTS})
    target_include_directories(test_${M_NAME} PRIVATE "${PROJECT_SOURCE_DIR}")
    target_link_libraries(test_${M_NAME} PRIVATE ${target} ${test_deps} moat_flags GTest::gtest GTest::gtest_main)
    target_compile_definitions(test_${M_NAME} PRIVATE
      MOAT_TESTDATA="${CMAKE_CURRENT_SOURCE_DIR}/testdata")
    add_test(NAME ${M_NAME} COMMAND test_${M_NAME})
    set_tests_properties(${M_NAME} PROPERTIES LABELS unit TIMEOUT 300)
  endif()
  foreach(fuzz IN LISTS M_FUZZ)
    set(corpus "${PROJECT_SOURCE_DIR}/fuzz/corpus/${fuzz}")
    add_executable(fuzz_${fuzz} ${fuzz}_fuzz.cc "${PROJECT_SOURCE_DIR}/tests/fuzz_replay.cc")
    target_link_libraries(fuzz_${fuzz} PRIVATE ${target} moat_flags)
    add_test(NAME fuzz_${fuzz}_corpus COMMAND fuzz_${fuzz} "${corpus}")
    set_tests_properties(fuzz_${fuzz}_corpus PROPERTIES LABELS fuzz TIMEOUT 300)
    if(MOAT_FUZZ)
      add_executable(fuzz_${fuzz}_run ${fuzz}_fuzz.cc "${PROJECT_SOURCE_DIR}/tests/fuzz_driver.cc")
      target_link_libraries(fuzz_${fuzz}_run PRIVATE ${target} moat_flags)
      target_link_options(fuzz_${fuzz}_run PRIVATE -fsanitize=fuzzer)
    endif()
  endforeach()
endfunction()

# "base" means moat::base; a name with "::" or one that is no room is passed through.
function(moat_resolve out)
  set(list)
  foreach(name IN LISTS ARGN)
    if(name MATCHES "::" OR NOT IS_DIRECTORY "${PROJECT_SOURCE_DIR}/moat/${name}")
      list(APPEND list ${name})
    else()
      list(APPEND list moat_${name})
    endif()
  endforeach()
  set(${out} "${list}" PARENT_SCOPE)
endfunction()
