// Every instruction set gives the same encoders, ids and distances.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <map>

#include "kernels/dispatch.hpp"
#include "support/test_data.hpp"

namespace medretrieval {
namespace {

/// Runs the probe under one instruction set and returns what it printed.
std::string run_probe(const std::string& instruction_set, int& status) {
  const std::string command = "MEDRETRIEVAL_FORCE_ISA=" + instruction_set + " '" MEDRETRIEVAL_PROBE "' '" +
                              testing::data_folder().string() + "'";
  FILE* pipe = ::popen(command.c_str(), "r");
  std::string printed;
  std::array<char, 4096> buffer;
  while (std::size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe))
    printed.append(buffer.data(), got);
  status = ::pclose(pipe);
  return printed;
}

TEST(Determinism, EveryInstructionSetThreadShardAndSegmentCountGivesTheSameResults) {
  std::map<std::string, std::string> printed;
  for (const auto& table : kernels::supported()) {
    int status = -1;
    printed[table.name] = run_probe(table.name, status);
    EXPECT_EQ(status, 0) << table.name << ":\n" << printed[table.name];
    EXPECT_EQ(printed[table.name], printed["scalar"]) << table.name;
  }
  EXPECT_NE(printed["scalar"].find("gaussian opq "), std::string::npos)
      << "the probe must have done its work";
  if (!std::filesystem::exists(testing::data_folder() / "vectors/siftsmall")) {
    GTEST_SKIP() << "real data absent, siftsmall was left out: " << testing::data_folder();
  }
  EXPECT_NE(printed["scalar"].find("siftsmall opq "), std::string::npos);
}

TEST(Determinism, AnUnknownInstructionSetIsRefused) {
  int status = 0;
  run_probe("sse9", status);
  EXPECT_NE(status, 0);
}

}  // namespace
}  // namespace medretrieval
