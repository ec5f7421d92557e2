// The tables and a scan's header of LUNA16. The first byte says which file the rest is; the others are whole.
#include "fuzz/reader.hpp"
#include "fuzz/tables.hpp"

using namespace medretrieval::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Folder folder;
  Bytes bytes(data, size);
  const std::size_t choice = take_choice(bytes, 5);
  folder.write("annotations.csv", kLunaNodules);
  folder.write("candidates.csv", kLunaCandidates);
  folder.write("LIDC-IDRI_MetaData.csv", kLunaPatients);
  folder.write("1.2.mhd", kLunaScan);
  folder.write("1.2.raw", std::string(320, '\x05'));
  constexpr const char* kNames[] = {"annotations.csv", "candidates.csv", "LIDC-IDRI_MetaData.csv", "1.2.mhd",
                                    "1.2.raw"};
  folder.write(kNames[choice], bytes);
  read_all("luna16", folder, {{"slices", std::int64_t{3}}});
  return 0;
}
