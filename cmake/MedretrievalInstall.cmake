# Installation: headers, libraries, the command, and a package that find_package(medretrieval) finds.
include(CMakePackageConfigHelpers)

set(installed_targets medretrieval_core)
foreach(part eval imaging torch)
  if(TARGET medretrieval_${part})
    list(APPEND installed_targets medretrieval_${part})
  endif()
endforeach()

install(TARGETS ${installed_targets} EXPORT medretrievalTargets ARCHIVE LIBRARY RUNTIME)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/medretrieval DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        PATTERN imaging EXCLUDE PATTERN eval EXCLUDE PATTERN torch EXCLUDE)
foreach(part eval imaging torch)
  if(TARGET medretrieval_${part})
    install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/medretrieval/${part}
            DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/medretrieval)
  endif()
endforeach()
if(TARGET medretrieval_command)
  install(TARGETS medretrieval_command RUNTIME)
  if(TARGET medretrieval_deep_command)
    install(TARGETS medretrieval_deep_command RUNTIME)
  endif()
endif()

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/medretrieval)
install(EXPORT medretrievalTargets NAMESPACE medretrieval:: DESTINATION ${package_folder})
configure_package_config_file(cmake/medretrievalConfig.cmake.in medretrievalConfig.cmake
                              INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(medretrievalConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/medretrievalConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/medretrievalConfigVersion.cmake DESTINATION ${package_folder})
if(TARGET medretrieval_imaging)
  install(FILES ${PROJECT_SOURCE_DIR}/cmake/MedretrievalImagingPackages.cmake DESTINATION ${package_folder})
endif()
if(TARGET medretrieval_torch)
  install(FILES ${PROJECT_SOURCE_DIR}/cmake/MedretrievalTorchPackages.cmake DESTINATION ${package_folder})
endif()
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
