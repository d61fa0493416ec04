# cmake --install: the library for those who build against it. Headers, both
# libraries, a pkg-config file, a CMake package; all of them may be moved together.
include(CMakePackageConfigHelpers)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/meshauth)
file(RELATIVE_PATH up /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)

configure_file(${CMAKE_CURRENT_LIST_DIR}/meshauth.pc.in meshauth.pc @ONLY)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/meshauthConfig.cmake.in
  meshauthConfig.cmake INSTALL_DESTINATION ${package}
  PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file(meshauthConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)

target_include_directories(meshauth INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
install(TARGETS meshauth EXPORT meshauth COMPONENT library
  LIBRARY NAMELINK_COMPONENT library)
install(EXPORT meshauth COMPONENT library
  NAMESPACE meshauth:: FILE meshauthTargets.cmake DESTINATION ${package})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/meshauth COMPONENT library
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN *.h
  PATTERN dpop.h EXCLUDE PATTERN replay.h EXCLUDE)
install(FILES ${archive} COMPONENT library DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/meshauth.pc COMPONENT library
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/meshauthConfig.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/meshauthConfigVersion.cmake
  COMPONENT library DESTINATION ${package})

# Apart, like the library itself: libmeshauth-dpop.
configure_file(${CMAKE_CURRENT_LIST_DIR}/meshauth-dpop.pc.in meshauth-dpop.pc @ONLY)
install(TARGETS meshauth_dpop COMPONENT dpop LIBRARY NAMELINK_COMPONENT dpop)
install(FILES ${PROJECT_SOURCE_DIR}/include/meshauth/dpop.h
  ${PROJECT_SOURCE_DIR}/include/meshauth/replay.h
  COMPONENT dpop DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/meshauth)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/meshauth-dpop.pc COMPONENT dpop
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
