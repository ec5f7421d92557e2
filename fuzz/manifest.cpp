// The manifest of an image folder.
#include <medretrieval/imaging/manifest.hpp>

#include "fuzz/reader.hpp"

using namespace medretrieval;
using namespace medretrieval::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Folder folder;
  const auto file = folder.write("manifest.csv", Bytes(data, size));
  expect_read_or_refused([&] {
    for (const auto& row : imaging::read_manifest(folder.path(), file).rows) {
      const auto inside = row.file.lexically_normal().lexically_relative(folder.path());
      if (inside.empty() || *inside.begin() == "..") __builtin_trap();  // a path that leaves the folder
    }
  });
  return 0;
}
