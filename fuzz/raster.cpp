// PNG, JPEG and TIFF, told apart by content. libpng, libjpeg and libtiff themselves are not instrumented.
#include <medretrieval/imaging/load.hpp>

#include "fuzz/reader.hpp"

using namespace medretrieval;
using namespace medretrieval::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Folder folder;
  const auto file = folder.write("image", Bytes(data, size));
  expect_read_or_refused([&] { imaging::load_image(file); });
  return 0;
}
