// Feature vectors: npy, fvecs and ivecs. The first byte chooses.
#include <medretrieval/vector_files.hpp>

#include "fuzz/reader.hpp"

using namespace medretrieval;
using namespace medretrieval::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Folder folder;
  Bytes bytes(data, size);
  const std::size_t choice = take_choice(bytes, 3);
  const auto file = folder.write("vectors", bytes);
  expect_read_or_refused([&] {
    if (choice == 0) read_npy(file);
    if (choice == 1) read_fvecs(file);
    if (choice == 2) read_ivecs(file);
  });
  return 0;
}
