# Flags that every target shares, and the function that turns a folder into a library.

add_library(addax_flags INTERFACE)
target_include_directories(addax_flags INTERFACE
  ${PROJECT_SOURCE_DIR}/cpp ${PROJECT_SOURCE_DIR}/kernels ${PROJECT_SOURCE_DIR}/cpp/device/include)
target_compile_options(addax_flags INTERFACE
  -Wall -Wextra -Wpedantic $<$<BOOL:${ADDAX_WERROR}>:-Werror>
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>  # false alarms on std::string in g++ 12 (GCC bug 105651)
  -fno-math-errno -fno-trapping-math $<$<CONFIG:Release>:-O3>)

if(ADDAX_SANITIZE STREQUAL "address")
  set(ADDAX_SANITIZE_FLAGS -fsanitize=address,undefined -fno-sanitize-recover=all)
elseif(ADDAX_SANITIZE STREQUAL "thread")
  set(ADDAX_SANITIZE_FLAGS -fsanitize=thread)
elseif(NOT ADDAX_SANITIZE STREQUAL "")
  message(FATAL_ERROR "ADDAX_SANITIZE=${ADDAX_SANITIZE}: expected address, thread or nothing")
endif()
if(ADDAX_SANITIZE)
  # Stack traces need lines only, and the rest of what -g writes is a third of the compiler's time.
  target_compile_options(addax_flags INTERFACE ${ADDAX_SANITIZE_FLAGS} -fno-omit-frame-pointer -g1)
  target_link_options(addax_flags INTERFACE ${ADDAX_SANITIZE_FLAGS})
endif()

set(ADDAX_ISA_FLAGS_avx2 -mavx2 -mfma -mf16c)
set(ADDAX_ISA_FLAGS_avx512
  -mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -mf16c -mprefer-vector-width=512)
set(ADDAX_ISA_FLAGS_avx512_bf16 ${ADDAX_ISA_FLAGS_avx512} -mavx512bf16)
set(ADDAX_ISA_FLAGS_amx ${ADDAX_ISA_FLAGS_avx512_bf16} -mamx-tile -mamx-bf16)

# addax_sources(<variable>): the .cpp files of the current folder and of those in it. A file whose name ends in an ISA
# is compiled for that ISA, and is left out where the target processor is not x86-64.
function(addax_sources variable)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS *.cpp)
  foreach(isa avx2 avx512 avx512_bf16 amx)
    set(isa_sources ${sources})
    list(FILTER isa_sources INCLUDE REGEX "_${isa}\\.cpp$")
    if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
      set_property(SOURCE ${isa_sources} APPEND PROPERTY COMPILE_OPTIONS ${ADDAX_ISA_FLAGS_${isa}})
    else()
      list(FILTER sources EXCLUDE REGEX "_${isa}\\.cpp$")
    endif()
  endforeach()
  set(${variable} ${sources} PARENT_SCOPE)
endfunction()

# addax_room(<name> [DEPS room...] [LIBS target...]): the current folder as the static library addax_<name>. A folder
# that holds only headers becomes an interface library with the same dependencies.
function(addax_room name)
  cmake_parse_arguments(room "" "" "DEPS;LIBS" ${ARGN})
  list(TRANSFORM room_DEPS PREPEND addax_)
  addax_sources(sources)
  if(sources)
    add_library(addax_${name} STATIC ${sources})
    target_link_libraries(addax_${name} PUBLIC addax_flags ${room_DEPS} ${room_LIBS})
  else()
    message(STATUS "Room ${name} holds no .cpp file: headers only")
    add_library(addax_${name} INTERFACE)
    target_link_libraries(addax_${name} INTERFACE addax_flags ${room_DEPS} ${room_LIBS})
  endif()
endfunction()
