#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <csignal>
#include <exception>
#include <iostream>
#include <medretrieval/error.hpp>
#include <medretrieval/version.hpp>

#include "command.hpp"
#include "handed_over.hpp"
#include "progress_line.hpp"

namespace {

using medretrieval::Error;
using medretrieval::ErrorCode;

constexpr const char* kFooter = R"(Exit status:
  0  done                    6  already exists
  1  unexpected failure      7  corrupt file
  2  wrong command line      8  input or output failed
  3  invalid argument        9  unsupported
  4  incompatible           10  limit exceeded
  5  not found              11  locked by another writer
                            12  cancelled

Examples:
  medretrieval demo --out demo
  medretrieval index create --gallery g --data images --manifest images/manifest.csv --encoder itq --bits 64
  medretrieval search --gallery g --image case.dcm -k 10 --json
)";

int exit_status(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument:
      return 3;
    case ErrorCode::incompatible:
      return 4;
    case ErrorCode::not_found:
      return 5;
    case ErrorCode::already_exists:
      return 6;
    case ErrorCode::corrupt:
      return 7;
    case ErrorCode::io:
      return 8;
    case ErrorCode::unsupported:
      return 9;
    case ErrorCode::limit_exceeded:
      return 10;
    case ErrorCode::locked:
      return 11;
    case ErrorCode::cancelled:
      return 12;
  }
  return 1;
}

/// Logs go to standard error, so that results can be piped.
void set_up_log() {
  spdlog::set_default_logger(spdlog::stderr_color_mt("medretrieval"));
  spdlog::set_pattern("%^%l%$: %v");
}

}  // namespace

int main(int argc, char** argv) {
  set_up_log();
  std::signal(SIGINT, medretrieval::cli::request_cancellation);
  CLI::App app("Finds the cases most like this one among many medical images.", "medretrieval");
  app.set_version_flag("--version", medretrieval::version());
  app.footer(kFooter);
  app.require_subcommand(1);
  app.fallthrough();
  app.add_flag_callback(
      "-q,--quiet", [] { spdlog::set_level(spdlog::level::warn); }, "No progress, only warnings");
  medretrieval::cli::add_import_command(app);
  medretrieval::cli::add_phantom_command(app);
  medretrieval::cli::add_augment_command(app);
  medretrieval::cli::add_train_command(app);
  medretrieval::cli::add_index_commands(app);
  medretrieval::cli::add_search_command(app);
  medretrieval::cli::add_tune_command(app);
  medretrieval::cli::add_evaluate_command(app);
  medretrieval::cli::add_classify_command(app);
  medretrieval::cli::add_pointing_game_command(app);
  medretrieval::cli::add_demo_command(app);
  medretrieval::cli::add_cpu_info_command(app);
  try {
    medretrieval::cli::take_command_line(argc, argv);
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const Error& error) {
    spdlog::error("{}", error.what());
    return exit_status(error.code());
  } catch (const std::exception& error) {
    spdlog::error("unexpected: {}", error.what());
    return 1;
  }
}
