# Loads through faults of the disk, the catalog and S3, by the program under the sanitizers; and the test of that test. How
# bench/bars runs them is longer.
if(TARGET calve)
  set(calve_test_python ${CALVE_DEPS_DIR}/test-venv/bin/python)
  calve_add_test(faults whole ${calve_test_python} ${CMAKE_CURRENT_LIST_DIR}/faults $<TARGET_FILE:calve> --runs 13 --seed 1 --short)
  calve_add_test(faults_found whole ${calve_test_python} ${CMAKE_CURRENT_LIST_DIR}/faults_test.py $<TARGET_FILE:calve>)
  calve_add_test(catalog_kills whole ${calve_test_python} ${CMAKE_CURRENT_LIST_DIR}/catalog_kills $<TARGET_FILE:calve> --kills 10)
  calve_add_test(webhook_kills whole ${CALVE_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/webhooks $<TARGET_FILE:calve> --kills 5)
  set_tests_properties(catalog_kills webhook_kills PROPERTIES TIMEOUT 300)
  set_tests_properties(faults faults_found PROPERTIES PROCESSORS 2 TIMEOUT 300)
endif()
