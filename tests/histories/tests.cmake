# Random histories of tables against a plain model, short; and the test of that test. bench/bars/rows-histories runs them whole, with Spark too.
if(TARGET calve)
  set(calve_test_python ${CALVE_DEPS_DIR}/test-venv/bin/python)
  calve_add_test(histories whole ${calve_test_python} ${CMAKE_CURRENT_LIST_DIR}/run $<TARGET_FILE:calve> --seeds 2 --steps 10)
  calve_add_test(histories_found whole ${calve_test_python} ${CMAKE_CURRENT_LIST_DIR}/broken_test.py $<TARGET_FILE:calve>)
  set_tests_properties(histories histories_found PROPERTIES TIMEOUT 300)
endif()
