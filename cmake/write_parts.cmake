# Write the function that calls each part's CALVE_PART, sorted by name. The file changes only when the parts do.
# cmake -DROOM=source -DFILES=a.cc|b.cc -DOUTPUT=source_parts.cc -P write_parts.cmake
string(REPLACE "|" ";" files "${FILES}")
set(names)
foreach(file IN LISTS files)
  file(STRINGS ${file} lines REGEX "^CALVE_PART\\([a-z0-9_]+\\)")
  foreach(line IN LISTS lines)
    string(REGEX MATCH "^CALVE_PART\\(([a-z0-9_]+)\\)" matched "${line}")
    list(APPEND names ${CMAKE_MATCH_1})
  endforeach()
endforeach()
list(SORT names)
set(declarations)
set(calls)
foreach(name IN LISTS names)
  string(APPEND declarations "void RegisterPart_${name}(Registry& registry);\n")
  string(APPEND calls "  RegisterPart_${name}(registry);\n")
endforeach()
set(text "// Written by the build from the CALVE_PART lines in src/${ROOM}.
#include \"${ROOM}/registry.h\"

namespace calve::${ROOM} {

${declarations}
void RegisterParts([[maybe_unused]] Registry& registry) {
${calls}}

}  // namespace calve::${ROOM}
")
set(old)
if(EXISTS ${OUTPUT})
  file(READ ${OUTPUT} old)
endif()
if(NOT old STREQUAL text)
  file(WRITE ${OUTPUT} "${text}")
endif()
