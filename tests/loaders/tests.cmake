# Loads into PostgreSQL and Delta Lake, read back by clients of others; and loads that die at random, run again.
if(TARGET calve)
  set(calve_test_python ${CALVE_DEPS_DIR}/test-venv/bin/python)
  calve_add_test(loader_delta whole ${calve_test_python} ${CMAKE_CURRENT_LIST_DIR}/delta_test.py $<TARGET_FILE:calve>)
  calve_add_test(loader_delta_kills whole ${calve_test_python} ${CMAKE_CURRENT_LIST_DIR}/kills $<TARGET_FILE:calve> delta --kills 6)
  calve_add_test(loader_postgres_kills whole ${calve_test_python} ${CMAKE_CURRENT_LIST_DIR}/kills $<TARGET_FILE:calve> postgres --kills 6)
  set_tests_properties(loader_delta loader_delta_kills loader_postgres_kills PROPERTIES TIMEOUT 600)
endif()
