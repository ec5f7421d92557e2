#include "handed_over.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <medretrieval/error.hpp>

#include "command.hpp"
#include "network_features.hpp"

namespace medretrieval::cli {

namespace {

char** command_line = nullptr;

}  // namespace

void remember_command_line(char** arguments) {
  command_line = arguments;
}

void continue_with_networks() {
  std::error_code error;
  const auto program =
      std::filesystem::read_symlink("/proc/self/exe", error).parent_path() / "medretrieval-deep";
  ::execv(program.c_str(), command_line);
  throw Error(ErrorCode::unsupported, "networks need libtorch and the program " + program.string() +
                                          ", which cannot be run: " + std::strerror(errno));
}

#ifndef MEDRETRIEVAL_WITH_NETWORKS
std::unique_ptr<FeatureMaker> network_features(const std::filesystem::path& /*file*/,
                                               const std::string& /*device*/) {
  continue_with_networks();
}

void add_train_command(CLI::App& app) {
  auto* command = app.add_subcommand("train", "Train a network of deep hashing");
  command->set_help_flag();  // that of the other program
  command->allow_extras();
  command->callback([] { continue_with_networks(); });
}
#endif

}  // namespace medretrieval::cli
