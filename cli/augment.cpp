#include <iostream>
#include <medretrieval/imaging/augment.hpp>
#include <medretrieval/imaging/manifest.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "augmentation_options.hpp"
#include "command.hpp"
#include "dataset.hpp"
#include "progress_line.hpp"
#include "search_options.hpp"

namespace medretrieval::cli {

namespace {

struct Options {
  imaging::AugmentedFolderOptions folder;
  std::string data;
  bool json = false;
};

std::size_t augment(const Options& options) {
  try {
    return imaging::augment_training_images(options.data, options.folder, progress_line());
  } catch (const Error& error) {
    if (error.code() != ErrorCode::incompatible) throw;
    throw Error(error.code(), std::string(error.what()) + " (--allow-leak)");
  }
}

void run(const Options& options) {
  const std::size_t copies = augment(options);
  const std::string manifest = options.data + "/manifest_augmented.csv";
  const PatientSplits patients =
      patient_splits(imaging::read_manifest(options.data, options.data + "/manifest.csv"));
  if (options.json) {
    const nlohmann::ordered_json document = {
        {"manifest", manifest}, {"copies", copies}, {"patients_in_two_splits", patients.in_two_splits}};
    std::cout << document.dump(2) << '\n';
    return;
  }
  std::cout << copies << " altered copies of training images, listed in " << manifest << '\n';
  std::cout << patients.sentence() << '\n';
}

}  // namespace

void add_augment_command(CLI::App& app) {
  auto* command = app.add_subcommand("augment", "Add altered copies of the training images of a folder");
  command->footer(
      "Queries and database stay as they are.\n"
      "Example:\n  medretrieval augment --data nodules --copies 4 --rotation 180 --shift 2\n");
  auto options = std::make_shared<Options>();
  auto& augmentation = options->folder.augmentation;
  command->add_option("--data", options->data, "Folder with manifest.csv, as import writes it")
      ->required()
      ->type_name("FOLDER");
  command->add_option("--copies", options->folder.copies, "Of each training image")->capture_default_str();
  add_augmentation_options(*command, augmentation);
  command->add_option("--seed", augmentation.seed, "Of the copies")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_option("--bits", options->folder.bits, "Of the PNG files: 8, 16, or 0 for as the image")
      ->check(CLI::IsMember({0, 8, 16}))
      ->capture_default_str();
  command->add_flag("--allow-leak", options->folder.allow_leak,
                    "Go on although the manifest has patients in two splits");
  add_threads_option(*command, options->folder.threads);
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options] { run(*options); });
}

}  // namespace medretrieval::cli
