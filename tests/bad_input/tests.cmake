# Every kind of bad input, given to the program under the sanitizers.
if(TARGET calve)
  calve_add_test(bad_input whole ${CALVE_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/run $<TARGET_FILE:calve>)
  set_tests_properties(bad_input PROPERTIES PROCESSORS 2 TIMEOUT 1800)
endif()
