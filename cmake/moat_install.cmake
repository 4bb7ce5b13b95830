# Installs the libraries, their headers and the CMake package: find_package(moat) gives moat::jwt, …
include(CMakePackageConfigHelpers)
get_property(modules GLOBAL PROPERTY MOAT_MODULES)
if(modules)
  install(TARGETS ${modules} EXPORT moat FILE_SET HEADERS)
  install(EXPORT moat NAMESPACE moat:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/moat FILE moat-targets.cmake)
  configure_package_config_file(cmake/moat-config.cmake.in moat-config.cmake
    INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/moat)
  write_basic_package_version_file(moat-config-version.cmake COMPATIBILITY SameMinorVersion)
  install(FILES ${PROJECT_BINARY_DIR}/moat-config.cmake ${PROJECT_BINARY_DIR}/moat-config-version.cmake
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/moat)
endif()
