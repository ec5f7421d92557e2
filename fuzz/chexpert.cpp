// The tables of CheXpert, under the policies for uncertain observations: the first byte chooses.
#include "fuzz/reader.hpp"

using namespace medretrieval::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Folder folder;
  Bytes bytes(data, size);
  constexpr const char* kPolicies[] = {"zeros", "ones", "class", "ignore"};
  const std::size_t choice = take_choice(bytes, 4);
  folder.write("train.csv", bytes);
  read_all("chexpert", folder, {{"uncertain", std::string(kPolicies[choice])}});
  return 0;
}
