# The tests that are not a room's own: the house rules, the text cases, and whatever tests/<name>/tests.cmake adds.

find_program(CALVE_PYTHON python3 REQUIRED)
calve_add_test(tidy house ${CALVE_PYTHON} ${CMAKE_SOURCE_DIR}/tests/tidy/tidy.py)
calve_add_test(tidy_rules house ${CALVE_PYTHON} ${CMAKE_SOURCE_DIR}/tests/tidy/tidy_test.py)
calve_add_test(case_runner house ${CALVE_PYTHON} ${CMAKE_SOURCE_DIR}/tests/cases/run_test.py)
calve_add_test(format house ${CMAKE_SOURCE_DIR}/tools/format --check)

if(TARGET calve)
  calve_add_test(cases whole ${CALVE_PYTHON} ${CMAKE_SOURCE_DIR}/tests/cases/run --program $<TARGET_FILE:calve>)
  include(ProcessorCount)
  ProcessorCount(processors)
  set_tests_properties(cases PROPERTIES PROCESSORS ${processors} TIMEOUT 3000)
endif()

# What runs under the thread sanitizer too: the rooms that share data between threads. DuckDB's own threads are not instrumented.
add_custom_target(tsan_tests)
foreach(room IN ITEMS base io iceberg commit pipeline)
  if(TARGET ${room}_test)
    add_dependencies(tsan_tests ${room}_test)
    set_property(TEST ${room} APPEND PROPERTY LABELS tsan)
  endif()
endforeach()

# calve_add_test(NAME LABEL COMMAND...) is there for these files.
file(GLOB more_tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/*/tests.cmake)
foreach(file IN LISTS more_tests)
  include(${file})
endforeach()
