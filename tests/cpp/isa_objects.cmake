# Fails when a file that is compiled for one processor (its objects in OBJECTS) defines a weak symbol: the linker could
# keep that copy of an inline function for everybody, and older processors would meet instructions they don't have.
string(REPLACE "," ";" OBJECTS "${OBJECTS}")
foreach(object IN LISTS OBJECTS)
  execute_process(
    COMMAND ${NM} --demangle --defined-only ${object} OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "[0-9a-f]+ [VWu] [^\n]+" weak "${symbols}")
  if(weak)
    list(JOIN weak "\n  " weak)
    message(SEND_ERROR "${object} defines inline functions that other files may share:\n  ${weak}")
  endif()
endforeach()
