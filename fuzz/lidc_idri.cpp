// The reader of LIDC-IDRI: an XML file beside three small slices. The first byte chooses what an image is.
#include <medretrieval/imaging/dicom.hpp>
#include <vector>

#include "fuzz/reader.hpp"

using namespace medretrieval;
using namespace medretrieval::fuzz;

namespace {

const Folder& folder_with_slices() {
  static const Folder folder;
  static const bool written = [] {
    constexpr std::size_t kSide = 32;
    const std::vector<std::int16_t> air(kSide * kSide, -900);
    for (int slice = 0; slice < 3; ++slice) {
      const std::string number = std::to_string(slice + 8);
      const imaging::DicomTags tags{{{"SOPClassUID", "1.2.840.10008.5.1.4.1.1.2"},
                                     {"SOPInstanceUID", "1." + number},
                                     {"StudyInstanceUID", "1.2"},
                                     {"SeriesInstanceUID", "1.2.3"},
                                     {"PatientID", "LIDC-IDRI-0001"},
                                     {"Modality", "CT"},
                                     {"InstanceNumber", number},
                                     {"ImagePositionPatient", "0\\0\\-" + std::to_string(130 - slice * 5)},
                                     {"PixelSpacing", "0.7\\0.7"},
                                     {"RescaleIntercept", "0"},
                                     {"RescaleSlope", "1"}}};
      imaging::write_dicom(folder / (number + ".dcm"), air, kSide, kSide, tags);
    }
    return true;
  }();
  static_cast<void>(written);
  return folder;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Folder& folder = folder_with_slices();
  Bytes bytes(data, size);
  constexpr const char* kImages[] = {"square", "region", "lungs"};
  const std::size_t choice = take_choice(bytes, 3);
  folder.write("069.xml", bytes);
  read_all("lidc-idri", folder, {{"image", std::string(kImages[choice])}});
  return 0;
}
