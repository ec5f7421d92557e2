// The table of DeepLesion with one key slice beside it; the first byte chooses what an image is.
#include <medretrieval/imaging/load.hpp>

#include "fuzz/reader.hpp"

using namespace medretrieval;
using namespace medretrieval::fuzz;

namespace {

/// The folder with the key slice that the seed names, 16 bits deep.
const Folder& folder_with_slice() {
  static const Folder folder;
  static const bool written = [] {
    imaging::Image image(8, 8, imaging::PixelUnit::display);
    for (std::size_t i = 0; i < image.pixels().size(); ++i) {
      image.pixels()[i] = 0.5F + 0.001F * static_cast<float>(i);
    }
    imaging::write_png(image, folder / "000001_02_03_017.png", 16);
    return true;
  }();
  static_cast<void>(written);
  return folder;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Folder& folder = folder_with_slice();
  Bytes bytes(data, size);
  const std::size_t choice = take_choice(bytes, 2);
  folder.write("DL_info.csv", bytes);
  read_all("deeplesion", folder, {{"unit", std::string(choice == 0 ? "slice" : "lesion")}});
  return 0;
}
