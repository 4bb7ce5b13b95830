# moat_embed(TARGET FUNCTION moat::gateway::web_files BASE web FILES login.html moat.css …)
# compiles text files into TARGET and defines, for TARGET's own header to declare,
#   std::span<const std::pair<std::string_view, std::string_view>> moat::gateway::web_files();
# the files' names relative to BASE (default: the calling folder) and their contents, in the order given.
# A changed file is picked up by the next build.
function(moat_embed target)
  cmake_parse_arguments(E "" "FUNCTION;BASE" "FILES" ${ARGN})
  if(NOT E_BASE)
    set(E_BASE "${CMAKE_CURRENT_SOURCE_DIR}")
  endif()
  get_filename_component(base "${E_BASE}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_SOURCE_DIR}")
  string(REGEX REPLACE "::[^:]*$" "" namespace "${E_FUNCTION}")
  string(REGEX REPLACE "^.*::" "" name "${E_FUNCTION}")

  set(type "std::span<const std::pair<std::string_view, std::string_view>>")
  set(text "// Made by cmake/moat_embed.cmake.\n#include <span>\n#include <string_view>\n#include <utility>\n")
  string(APPEND text "namespace ${namespace} {\n${type} ${name}();\n")
  string(APPEND text "static constexpr std::pair<std::string_view, std::string_view> files[] = {\n")
  foreach(file IN LISTS E_FILES)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${base}/${file}")
    file(READ "${base}/${file}" content)
    string(FIND "${content}" ")moat_embed\"" clash)
    if(NOT clash EQUAL -1)
      message(FATAL_ERROR "${file} holds the delimiter of moat_embed")
    endif()
    string(APPEND text "{\"${file}\", R\"moat_embed(${content})moat_embed\"},\n")
  endforeach()
  string(APPEND text "};\n${type} ${name}() { return files; }\n}\n")

  set(source "${CMAKE_CURRENT_BINARY_DIR}/embed/${name}.cc")
  file(WRITE "${source}.new" "${text}")
  configure_file("${source}.new" "${source}" COPYONLY)  # leaves an equal file alone
  target_sources(${target} PRIVATE "${source}")
endfunction()
