# The programs of examples/ do what their pages say.
if(TARGET calve)
  calve_add_test(examples_exec whole ${CALVE_PYTHON} ${CMAKE_SOURCE_DIR}/tests/examples/exec_test.py $<TARGET_FILE:calve> $<TARGET_FILE:example_initials>)
  calve_add_test(examples_insider_trading whole ${CALVE_PYTHON} ${CMAKE_SOURCE_DIR}/tests/examples/insider_trading_test.py $<TARGET_FILE:calve>)
endif()
