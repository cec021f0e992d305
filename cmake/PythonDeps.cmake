# Finds Python, pybind11, oneTBB and OpenBLAS. Afterwards these exist: TBB::tbb, addax_openblas (with the macro
# ADDAX_OPENBLAS_PREFIX, the prefix of every exported symbol), and addax_bundle(<destination>).

set(Python_FIND_VIRTUALENV FIRST)
if(ADDAX_BUILD_PYTHON)
  find_package(Python 3.10 REQUIRED COMPONENTS Interpreter Development.Module)
else()
  find_package(Python 3.10 REQUIRED COMPONENTS Interpreter)
endif()

execute_process(
  COMMAND ${Python_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/python_deps.py
  OUTPUT_VARIABLE python_deps COMMAND_ERROR_IS_FATAL ANY)
string(REPLACE ";" "\\;" python_deps "${python_deps}")
string(REPLACE "\n" ";" python_deps "${python_deps}")
foreach(line IN LISTS python_deps)
  if(line MATCHES "^([A-Za-z0-9_]+)=(.*)$")
    set(wheel_${CMAKE_MATCH_1} "${CMAKE_MATCH_2}")
  endif()
endforeach()

# addax_require_wheels(<definition> key...): fails where a wheel is missing; the definition does without.
function(addax_require_wheels instead)
  foreach(key IN LISTS ARGN)
    if(NOT wheel_${key})
      message(FATAL_ERROR
        "${Python_EXECUTABLE} has no wheel that gives ${key}. Install the build requirements of pyproject.toml "
        "(pybind11, tbb-devel, scipy-openblas32) into it, or configure with ${instead}.")
    endif()
  endforeach()
endfunction()

if(ADDAX_BUILD_PYTHON)
  addax_require_wheels(-DADDAX_BUILD_PYTHON=OFF pybind11_DIR)
  find_package(pybind11 3 REQUIRED CONFIG PATHS ${wheel_pybind11_DIR} NO_DEFAULT_PATH)
endif()

add_library(addax_openblas INTERFACE)
if(ADDAX_USE_SYSTEM_DEPS)
  find_package(TBB REQUIRED CONFIG COMPONENTS tbb)
  find_package(OpenBLAS REQUIRED CONFIG)
  target_include_directories(addax_openblas SYSTEM INTERFACE ${OpenBLAS_INCLUDE_DIRS})
  target_link_libraries(addax_openblas INTERFACE ${OpenBLAS_LIBRARIES})
  target_compile_definitions(addax_openblas INTERFACE ADDAX_OPENBLAS_PREFIX=)
else()
  addax_require_wheels(-DADDAX_USE_SYSTEM_DEPS=ON TBB_DIR TBB_LIBRARY OpenBLAS_DIR OpenBLAS_LIBRARY)
  set(TBB_FIND_RELEASE_ONLY ON)
  find_package(TBB REQUIRED CONFIG COMPONENTS tbb PATHS ${wheel_TBB_DIR} NO_DEFAULT_PATH)
  find_package(OpenBLAS REQUIRED CONFIG PATHS ${wheel_OpenBLAS_DIR} NO_DEFAULT_PATH)
  target_link_libraries(addax_openblas INTERFACE OpenBLAS::OpenBLAS)
  target_compile_definitions(addax_openblas INTERFACE ADDAX_OPENBLAS_PREFIX=scipy_)
endif()

# Installs the libraries that came as wheels, unmodified, each with its notices beside it.
function(addax_bundle destination)
  if(ADDAX_USE_SYSTEM_DEPS)
    return()
  endif()
  foreach(name TBB OpenBLAS)
    install(FILES ${wheel_${name}_LIBRARY} DESTINATION ${destination} COMPONENT python)
    install(FILES ${wheel_${name}_NOTICES} DESTINATION ${destination}/licences/${name} COMPONENT python)
  endforeach()
endfunction()
