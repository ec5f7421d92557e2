# Finds what the imaging part links: used by the build and, installed beside it, by medretrievalConfig.cmake.
# Sets MEDRETRIEVAL_IMAGING_MISSING to the names of packages that were not found.
find_package(OpenCV 4.5 QUIET COMPONENTS core imgproc ml)
find_package(DCMTK QUIET)
find_package(PNG QUIET)
find_package(JPEG QUIET)
find_package(TIFF 4.5 QUIET) # error handlers for each file instead of global ones
find_package(ZLIB QUIET)
find_package(pugixml QUIET CONFIG)
find_package(OpenSSL QUIET COMPONENTS Crypto)
find_package(PkgConfig QUIET)
if(PkgConfig_FOUND AND NOT TARGET PkgConfig::OPENJPEG)
  pkg_check_modules(OPENJPEG QUIET IMPORTED_TARGET libopenjp2>=2.5) # strict mode
endif()
find_path(LIBCSV_INCLUDE_DIR csv.h)
find_library(LIBCSV_LIBRARY csv)
if(LIBCSV_INCLUDE_DIR AND LIBCSV_LIBRARY AND NOT TARGET libcsv::libcsv)
  add_library(libcsv::libcsv UNKNOWN IMPORTED)
  set_target_properties(libcsv::libcsv PROPERTIES IMPORTED_LOCATION ${LIBCSV_LIBRARY}
                                                  INTERFACE_INCLUDE_DIRECTORIES ${LIBCSV_INCLUDE_DIR})
endif()

set(MEDRETRIEVAL_IMAGING_MISSING "")
foreach(_package OpenCV DCMTK PNG JPEG TIFF ZLIB OpenSSL OPENJPEG pugixml)
  if(NOT ${_package}_FOUND)
    list(APPEND MEDRETRIEVAL_IMAGING_MISSING ${_package})
  endif()
endforeach()
if(NOT TARGET libcsv::libcsv)
  list(APPEND MEDRETRIEVAL_IMAGING_MISSING libcsv)
endif()
