# Installs the unit for systemd, with the paths of this installation, and the user it runs as.
set(unit "${PROJECT_BINARY_DIR}/packaging/moat.service")
file(READ "${PROJECT_SOURCE_DIR}/packaging/moat.service" text)
string(REPLACE "/usr/bin/moat" "${CMAKE_INSTALL_FULL_BINDIR}/moat" text "${text}")
string(REPLACE "/usr/share/doc/moat" "${CMAKE_INSTALL_FULL_DOCDIR}" text "${text}")
file(WRITE "${unit}.new" "${text}")
configure_file("${unit}.new" "${unit}" COPYONLY)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/packaging/moat.service")
# Where systemd looks, whatever the name of the folder for libraries is.
install(FILES "${unit}" DESTINATION lib/systemd/system)
install(FILES packaging/moat.sysusers DESTINATION lib/sysusers.d RENAME moat.conf)
install(FILES docs/operations.md DESTINATION "${CMAKE_INSTALL_DOCDIR}")
# Changes the DNS for certificates that are proved by it (tls.acme.dns_hook).
install(PROGRAMS packaging/dns-rfc2136 DESTINATION "${CMAKE_INSTALL_LIBEXECDIR}/moat")
