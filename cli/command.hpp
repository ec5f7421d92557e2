// The subcommands of `medretrieval`, one file each. Every function adds its subcommand to the application.
#pragma once

#include <CLI/CLI.hpp>

namespace medretrieval::cli {

void add_import_command(CLI::App& app);
void add_phantom_command(CLI::App& app);
void add_augment_command(CLI::App& app);
void add_train_command(CLI::App& app);
void add_pointing_game_command(CLI::App& app);
void add_index_commands(CLI::App& app);
void add_search_command(CLI::App& app);
void add_tune_command(CLI::App& app);
void add_evaluate_command(CLI::App& app);
void add_classify_command(CLI::App& app);
void add_demo_command(CLI::App& app);
void add_cpu_info_command(CLI::App& app);

}  // namespace medretrieval::cli
