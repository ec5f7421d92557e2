#include "handed_over.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <medretrieval/error.hpp>
#include <string_view>

#include "command.hpp"
#include "demo_network.hpp"
#include "network_features.hpp"

namespace medretrieval::cli {

namespace {

char** command_line = nullptr;

#ifndef MEDRETRIEVAL_WITH_NETWORKS
/// The subcommand; options of the program itself may stand before it.
const char* subcommand(int count, char** arguments) {
  for (int i = 1; i < count; ++i) {
    if (arguments[i][0] != '-') return arguments[i];
  }
  return "";
}
#endif

}  // namespace

void continue_with_networks() {
  std::error_code error;
  const auto folder = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  const std::string program = (folder / "medretrieval-deep").string();
  ::execv(program.c_str(), command_line);
  throw Error(ErrorCode::unsupported, "networks need libtorch and the program " + program +
                                          ", which cannot be run: " + std::strerror(errno));
}

#ifdef MEDRETRIEVAL_WITH_NETWORKS

void take_command_line(int /*count*/, char** arguments) {
  command_line = arguments;
}

#else

void take_command_line(int count, char** arguments) {
  command_line = arguments;
  const std::string_view asked_for = subcommand(count, arguments);
  if (asked_for == "train" || asked_for == "pointing-game") continue_with_networks();
}

std::unique_ptr<FeatureMaker> network_features(const std::filesystem::path& /*file*/,
                                               const std::string& /*device*/) {
  continue_with_networks();
}

void check_demo_network(const DemoNetworkOptions& /*options*/) {
  continue_with_networks();
}

DemoNetwork train_for_demo(const Dataset& /*dataset*/, const DemoNetworkOptions& /*options*/,
                           const std::filesystem::path& /*file*/) {
  continue_with_networks();
}

// For the list of subcommands: take_command_line() comes before it.
void add_train_command(CLI::App& app) {
  app.add_subcommand("train", "Train a network of deep hashing");
}
void add_pointing_game_command(CLI::App& app) {
  app.add_subcommand("pointing-game", "Measure whether a network looks where the lesion is");
}

#endif

}  // namespace medretrieval::cli
