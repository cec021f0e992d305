# Writes OUTPUT, a C++ file with the text of each of SOURCES as the constant of lowering/sources.h that has its name.
set(text "#include \"opencl/lowering/sources.h\"\n\nnamespace addax::opencl::sources {\n")
foreach(source IN LISTS SOURCES)
  get_filename_component(name ${source} NAME_WE)
  file(READ ${source} content)
  string(APPEND text "\nconst std::string_view ${name} = R\"cl(${content})cl\";\n")
endforeach()
file(WRITE ${OUTPUT} "${text}\n}  // namespace addax::opencl::sources\n")
