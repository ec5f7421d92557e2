// The tables of ChestX-ray14. The first byte says which of them the rest is; the others are whole.
#include "fuzz/reader.hpp"
#include "fuzz/tables.hpp"

using namespace medretrieval::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Folder folder;
  Bytes bytes(data, size);
  const std::size_t choice = take_choice(bytes, 4);
  folder.write("Data_Entry_2017.csv", kChestEntries2017);
  folder.write("BBox_List_2017.csv", kChestBoxes);
  folder.write("train_val_list.txt", std::string_view());
  folder.write("test_list.txt", kChestList);
  constexpr const char* kNames[] = {"Data_Entry_2017.csv", "BBox_List_2017.csv", "train_val_list.txt",
                                    "test_list.txt"};
  folder.write(kNames[choice], bytes);
  read_all("chestx-ray14", folder);
  return 0;
}
