# Flags for our own code. Users of the installed package inherit none but C++20.
add_library(medretrieval_flags INTERFACE)
target_compile_features(medretrieval_flags INTERFACE cxx_std_20)
target_compile_options(
  medretrieval_flags
  INTERFACE
    # Results are the same on every instruction set: the compiler must not fuse or reorder floating point by itself.
    -ffp-contract=off
    -Wall
    -Wextra
    -Wpedantic
    -Wshadow
    -Wconversion
    -Wno-sign-conversion)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(medretrieval_flags INTERFACE -Wno-psabi) # Eigen's vector types, internal to one file each
  if(CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # False alarms of GCC 12 in its own strings, functions and vectors (GCC bugs 105329, 105562, 105651).
    target_compile_options(medretrieval_flags INTERFACE -Wno-restrict -Wno-maybe-uninitialized)
  endif()
endif()
if(MEDRETRIEVAL_WERROR)
  target_compile_options(medretrieval_flags INTERFACE -Werror)
endif()

# medretrieval_kernel_flags(<file> <flags>...): one instruction set's flags, for one file only.
# GCC 12 calls the placeholder operands inside its own AVX-512 intrinsics uninitialized (GCC bug 105593).
function(medretrieval_kernel_flags file)
  set_source_files_properties(
    ${file} PROPERTIES COMPILE_OPTIONS
               "${ARGN};$<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>;$<$<CXX_COMPILER_ID:GNU>:-Wno-uninitialized>")
endfunction()
