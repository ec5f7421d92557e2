# Finds libtorch for the part for deep hashing: used by the build and, installed beside it, by medretrievalConfig.cmake.
# Sets MEDRETRIEVAL_TORCH_MISSING to the names of packages that were not found.
set(MEDRETRIEVAL_TORCH_MISSING "")
set(_message_level ${CMAKE_MESSAGE_LOG_LEVEL})
set(CMAKE_MESSAGE_LOG_LEVEL ERROR) # its packages report themselves one by one
find_package(Torch QUIET)
set(CMAKE_MESSAGE_LOG_LEVEL ${_message_level})
if(NOT Torch_FOUND)
  set(MEDRETRIEVAL_TORCH_MISSING "libtorch")
endif()
