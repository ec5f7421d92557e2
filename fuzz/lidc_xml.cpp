// The radiologists' XML of LIDC-IDRI, and the grouping of what they marked.
#include <medretrieval/imaging/lidc.hpp>

#include "fuzz/reader.hpp"

using namespace medretrieval;
using namespace medretrieval::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Folder folder;
  const auto file = folder.write("069.xml", Bytes(data, size));
  expect_read_or_refused([&] { imaging::group_lidc_nodules(imaging::read_lidc_annotations(file)); });
  return 0;
}
