// DICOM: header, pixel data of every transfer syntax that is decoded, and the reader of a tree of such files.
#include <medretrieval/imaging/dicom.hpp>

#include "fuzz/reader.hpp"

using namespace medretrieval;
using namespace medretrieval::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Folder folder;
  const auto path = folder.write("image.dcm", Bytes(data, size));
  expect_read_or_refused([&] {
    const imaging::DicomFile file(path);
    for (const char* keyword : {"PatientID", "PatientName", "StudyDate", "PixelSpacing", "WindowCenter"}) {
      expect_read_or_refused([&] { file.tag(keyword); });
    }
    file.transfer_syntax_uid();
    expect_read_or_refused([&] { file.stated_window(); });
    expect_read_or_refused([&] { file.stored_samples(file.frame_count() / 2); });
    const imaging::Image image = file.display_image();
    for (const float value : image.pixels()) {
      if (!(value >= 0 && value <= 1)) __builtin_trap();  // display units
    }
  });
  read_all("dicom", folder);
  return 0;
}
