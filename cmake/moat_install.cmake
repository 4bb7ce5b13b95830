# Installs the libraries, their headers and the CMake package: find_package(moat) gives moat::jwt, … and
# moat::moat, which is all rooms but the product's own and moat::phone with its many dependencies.
include(CMakePackageConfigHelpers)
get_property(modules GLOBAL PROPERTY MOAT_MODULES)

set(rooms ${modules})
list(REMOVE_ITEM rooms moat_doctor moat_gateway moat_phone)
add_library(moat_rooms INTERFACE)
add_library(moat::moat ALIAS moat_rooms)
set_target_properties(moat_rooms PROPERTIES EXPORT_NAME moat)
target_link_libraries(moat_rooms INTERFACE ${rooms})

set(package "${CMAKE_INSTALL_LIBDIR}/cmake/moat")
install(TARGETS ${modules} moat_rooms EXPORT moat FILE_SET HEADERS)
install(EXPORT moat NAMESPACE moat:: DESTINATION "${package}" FILE moat-targets.cmake)
configure_package_config_file(cmake/moat-config.cmake.in moat-config.cmake INSTALL_DESTINATION "${package}")
write_basic_package_version_file(moat-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/moat-config.cmake" "${PROJECT_BINARY_DIR}/moat-config-version.cmake"
  DESTINATION "${package}")
