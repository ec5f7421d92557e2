// MetaImage: a .mha whose voxels follow the header, or with first byte '1' a .mhd beside a .raw of 320 bytes.
#include <medretrieval/imaging/meta_image.hpp>

#include "fuzz/reader.hpp"

using namespace medretrieval;
using namespace medretrieval::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Folder folder;
  Bytes bytes(data, size);
  take_choice(bytes, 2);
  folder.write("1.2.raw", std::string(320, '\x05'));
  const auto file = folder.write("volume.mha", bytes);
  expect_read_or_refused([&] {
    const imaging::MetaImage volume = imaging::read_meta_image_header(file);
    const imaging::Point3 voxel = volume.to_voxel(volume.to_world({1, 2, 3}));
    for (const double place : voxel) {
      if (!(place > -1e30 && place < 1e30))
        __builtin_trap();  // a geometry that was let through must be usable
    }
  });
  expect_read_or_refused([&] { imaging::read_meta_image_slice(file, 1); });
  expect_read_or_refused([&] { imaging::read_meta_image(file); });
  expect_read_or_refused([&] { imaging::load_image(file); });
  return 0;
}
