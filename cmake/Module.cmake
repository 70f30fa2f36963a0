# SPDX-License-Identifier: Apache-2.0
# house_module(NAME [USES module…] [LINKS target…] [SHARDS n] [ON_POSTGRES filter])
#
# Builds every .cpp of the current folder (and its subfolders) as library `NAME`, split by suffix:
#   *_test.cpp   one GoogleTest binary NAME_test, run by CTest in SHARDS processes (1)
#   *_bench.cpp  one Google Benchmark binary NAME_bench
#   *_fuzz.cpp   a libFuzzer binary each, in builds with MUSTER_FUZZ; those have no tests or benches
#   the rest     the library
# ON_POSTGRES names the tests that run once more with PostgreSQL, all in one process; those named
# */postgres* or *OnPostgres* run in no other.
# USES names the modules whose headers this one may include; tools/layers.py reads the same list.

add_library(muster_options INTERFACE)
target_compile_options(muster_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
  -Wnon-virtual-dtor -Woverloaded-virtual -Werror -fno-omit-frame-pointer
  # GCC 12 reports these inside libstdc++ and std::variant where nothing is wrong (PR 105562, 105329).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized -Wno-restrict>
  $<$<CONFIG:Release>:-D_FORTIFY_SOURCE=2 -fstack-protector-strong>)
target_include_directories(muster_options INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_link_libraries(muster_options INTERFACE Threads::Threads)
# A binary names only the shared libraries that it calls: the agent must not ask for the server's.
target_link_options(muster_options INTERFACE -Wl,--as-needed)
if(MUSTER_SANITIZE)
  target_compile_options(muster_options INTERFACE -fsanitize=address,undefined
    -fno-sanitize-recover=all)
  target_link_options(muster_options INTERFACE -fsanitize=address,undefined)
endif()

if(MUSTER_TSAN)
  # Asio's fences stand beside locks of its own, which ThreadSanitizer sees.
  target_compile_options(muster_options INTERFACE -fsanitize=thread -Wno-tsan)
  target_link_options(muster_options INTERFACE -fsanitize=thread)
endif()
if(MUSTER_COVERAGE)
  target_compile_options(muster_options INTERFACE --coverage)
  target_link_options(muster_options INTERFACE --coverage)
endif()

if(MUSTER_FUZZ)
  target_compile_options(muster_options INTERFACE -fsanitize=fuzzer-no-link,address,undefined
    -fno-sanitize-recover=all)
  target_link_options(muster_options INTERFACE -fsanitize=address,undefined)
endif()

function(house_module name)
  cmake_parse_arguments(ARG "" "ON_POSTGRES;SHARDS" "USES;LINKS;TEST_USES" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} *.cpp)
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  set(benches ${sources})
  list(FILTER benches INCLUDE REGEX "_bench\\.cpp$")
  set(fuzzers ${sources})
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "_(test|bench|fuzz)\\.cpp$")

  list(TRANSFORM ARG_USES PREPEND muster_ OUTPUT_VARIABLE uses)
  list(TRANSFORM ARG_TEST_USES PREPEND muster_ OUTPUT_VARIABLE test_uses)
  if(sources)
    add_library(muster_${name} STATIC ${sources})
    target_link_libraries(muster_${name} PUBLIC muster_options ${uses} ${ARG_LINKS})
  else()
    add_library(muster_${name} INTERFACE)
    target_link_libraries(muster_${name} INTERFACE muster_options ${uses} ${ARG_LINKS})
  endif()

  if(MUSTER_FUZZ)
    foreach(file IN LISTS fuzzers)
      get_filename_component(stem ${file} NAME_WE)
      add_executable(${stem} ${file})
      target_link_libraries(${stem} PRIVATE muster_${name})
      target_link_options(${stem} PRIVATE -fsanitize=fuzzer)
      set_target_properties(${stem} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
    endforeach()
    return()
  endif()
  if(tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE muster_${name} ${test_uses} GTest::gtest_main)
    if(NOT ARG_SHARDS)
      set(ARG_SHARDS 1)
    endif()
    # A process for each share of the cases, not for each case: a process with sanitizers takes
    # longer to start than most cases take to run.
    foreach(shard RANGE 1 ${ARG_SHARDS})
      math(EXPR index "${shard} - 1")
      set(share "GTEST_TOTAL_SHARDS=${ARG_SHARDS};GTEST_SHARD_INDEX=${index}")
      set(test ${name}.${shard}of${ARG_SHARDS})
      add_test(NAME ${test} COMMAND ${name}_test "--gtest_filter=-*/postgres*:*OnPostgres*")
      set_tests_properties(${test} PROPERTIES TIMEOUT 600 ENVIRONMENT "${share}")
      if(ARG_ON_POSTGRES)
        # Each process makes a server, which takes a second.
        set(test ${name}.on_postgres.${shard}of${ARG_SHARDS})
        add_test(NAME ${test} COMMAND ${name}_test "--gtest_filter=${ARG_ON_POSTGRES}")
        set_tests_properties(${test} PROPERTIES TIMEOUT 1200
          ENVIRONMENT "MUSTER_TEST_STORE=postgres;${share}"
          SKIP_REGULAR_EXPRESSION "PostgreSQL is not installed")
      endif()
    endforeach()
  endif()
  if(benches AND NOT MUSTER_AGENT_ONLY)
    add_executable(${name}_bench ${benches})
    target_link_libraries(${name}_bench PRIVATE muster_${name} ${test_uses}
      benchmark::benchmark_main)
  endif()
endfunction()

# house_binary(NAME SOURCES file… USES module… [LINKS target…]): a product binary in bin/.
function(house_binary name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES;LINKS" ${ARGN})
  list(TRANSFORM ARG_USES PREPEND muster_ OUTPUT_VARIABLE uses)
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${uses} ${ARG_LINKS})
endfunction()
