#include <spdlog/spdlog.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <medretrieval/imaging/import.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "command.hpp"
#include "progress_line.hpp"
#include "search_options.hpp"

namespace medretrieval::cli {

namespace {

using imaging::ImportReport;

struct Options {
  std::string dataset;
  std::string root;
  std::string out;
  std::string key_file;
  std::string explain;
  std::vector<std::string> parameters;
  std::string dates;
  imaging::ImportOptions import;
  bool json = false;
};

/// " (50, 0 to 1000)": the default and the range of an option, where it has them.
std::string default_and_range(const OptionSpec& option) {
  std::string text = to_string(option.default_value);
  if (option.minimum < option.maximum) {
    std::ostringstream range;
    range << option.minimum << " to " << option.maximum;
    text += (text.empty() ? "" : ", ") + range.str();
  }
  return text.empty() ? "" : " (" + text + ")";
}

std::string datasets_help() {
  std::string help = "Data sets and their options:\n";
  for (const auto& name : imaging::dataset_type_names()) {
    const auto& type = imaging::dataset_type(name);
    help += "  " + name + ": " + type.description + '\n';
    for (const auto& option : type.options) {
      help += "      " + option.name + default_and_range(option) + ": " + option.description + '\n';
    }
  }
  return help +
         "\nExamples:\n"
         "  medretrieval import --dataset chestx-ray14 --root ChestXray-NIHCC --out chest\n"
         "  medretrieval import --dataset dicom --root archive --key secret.key --out cases\n"
         "  medretrieval import --dataset lidc-idri --root LIDC-IDRI --out nodules --explain sheets\n"
         "  medretrieval index create --gallery g --data chest --manifest chest/manifest.csv --encoder itq\n"
         "  medretrieval evaluate --gallery g --data chest --manifest chest/manifest.csv\n";
}

using Counts = std::map<std::string, imaging::SkippedCount>;

nlohmann::ordered_json to_json(const Counts& counts) {
  nlohmann::ordered_json document = nlohmann::ordered_json::object();
  for (const auto& [kind, entry] : counts) {
    document[kind] = {{"count", entry.count}, {"examples", entry.examples}};
  }
  return document;
}

void print_counts(const char* title, const Counts& counts) {
  for (const auto& [kind, entry] : counts) {
    std::cout << "  " << title << ", " << kind << ": " << entry.count << '\n';
    for (const auto& example : entry.examples) std::cout << "      " << example << '\n';
  }
}

void print_json(const Options& options, const ImportReport& report) {
  nlohmann::ordered_json splits = nlohmann::ordered_json::object();
  for (const auto& [name, count] : report.splits) {
    splits[name] = {{"images", count.images}, {"patients", count.patients}};
  }
  const nlohmann::ordered_json document = {{"dataset", options.dataset},
                                           {"folder", options.out},
                                           {"manifest", options.out + "/manifest.csv"},
                                           {"images", report.images},
                                           {"written", report.written},
                                           {"patients", report.patients},
                                           {"patients_in_two_splits", report.patients_in_two_splits},
                                           {"splits", splits},
                                           {"skipped", to_json(report.skipped)},
                                           {"noted", to_json(report.noted)}};
  // Names of files need not be UTF-8.
  std::cout << document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
}

void print_text(const Options& options, const ImportReport& report) {
  std::cout << report.images << " images of " << report.patients << " patients in " << options.out << " ("
            << report.written << " written by this run)\n";
  for (const auto& [name, count] : report.splits) {
    std::cout << "  " << name << ": " << count.images << " images of " << count.patients << " patients\n";
  }
  print_counts("left out", report.skipped);
  print_counts("noted", report.noted);
}

bool has_steps(const imaging::DatasetType& type) {
  return std::any_of(type.options.begin(), type.options.end(),
                     [](const OptionSpec& option) { return option.name == "explain"; });
}

/// --explain is the data set's option of that name.
void take_explain(Options& options, const imaging::DatasetType& type) {
  if (options.explain.empty()) return;
  if (!has_steps(type)) {
    std::string others;
    for (const auto& name : imaging::dataset_type_names()) {
      if (has_steps(imaging::dataset_type(name))) others += (others.empty() ? "" : ", ") + name;
    }
    throw Error(ErrorCode::invalid_argument,
                "--explain: the images of the data set '" + type.name +
                    "' are made in no steps that could be shown; data sets that have such steps: " + others);
  }
  if (!options.import.parameters.emplace("explain", options.explain).second) {
    throw Error(ErrorCode::invalid_argument, "--explain and --option explain=... name the same; give one");
  }
}
const std::map<std::string, imaging::DatePolicy> kDates = {{"keep", imaging::DatePolicy::keep},
                                                           {"shift", imaging::DatePolicy::shift},
                                                           {"remove", imaging::DatePolicy::remove}};

void run(Options& options) {
  const auto& type = imaging::dataset_type(options.dataset);
  for (const auto& text : options.parameters) {
    const auto [name, value] = parse_parameter(text, type.options, "data set '" + type.name + "'");
    options.import.parameters[name] = value;
  }
  take_explain(options, type);
  options.import.key_file = options.key_file;
  if (!options.dates.empty()) options.import.dates = kDates.at(options.dates);
  const ImportReport report =
      imaging::import_dataset(options.dataset, options.root, options.out, options.import, progress_line());
  if (report.patients_in_two_splits > 0) {
    spdlog::warn("{} patients are in two splits, as was allowed", report.patients_in_two_splits);
  }
  if (options.json) {
    print_json(options, report);
  } else {
    print_text(options, report);
  }
}

void add_protection_options(CLI::App& command, const std::shared_ptr<Options>& options) {
  auto& import = options->import;
  command
      .add_option("--key", options->key_file,
                  "File with the key (16 to 4,096 bytes) of the digests that replace the ids of patients, "
                  "studies, series and images")
      ->type_name("FILE");
  command.add_flag("--keep-identities", import.keep_identities,
                   "Let ids stay that may be those of a hospital");
  command
      .add_option("--dates", options->dates,
                  "keep, shift (with a key) or remove; unless given: remove with a key, keep without")
      ->check(CLI::IsMember(kDates))
      ->type_name("POLICY");
}

}  // namespace

void add_import_command(CLI::App& app) {
  auto* command = app.add_subcommand("import", "A published data set to images and a manifest");
  command->footer(datasets_help());
  auto options = std::make_shared<Options>();
  auto& import = options->import;
  const std::map<std::string, imaging::SplitRule> rules = {{"patient", imaging::SplitRule::patient},
                                                           {"official", imaging::SplitRule::official}};
  std::string names;
  for (const auto& name : imaging::dataset_type_names()) names += (names.empty() ? "" : ", ") + name;
  command->add_option("--dataset", options->dataset, "One of " + names)->required()->type_name("NAME");
  command->add_option("--root", options->root, "Folder of the data set as published")
      ->required()
      ->type_name("FOLDER");
  command->add_option("--out", options->out, "Folder to make; an import that was interrupted goes on there")
      ->required()
      ->type_name("FOLDER");
  command
      ->add_option("--option", options->parameters,
                   "An option of the data set, name=value; may be given several times")
      ->type_name("NAME=VALUE");
  command
      ->add_option(
          "--explain", options->explain,
          "Write a contact sheet of the steps of every image that is made here, where there are steps")
      ->type_name("FOLDER");
  command->add_option("--split", import.split, "patient, or official where the publisher made one")
      ->transform(one_of(rules))
      ->type_name("RULE")
      ->default_str("patient");
  command->add_option("--seed", import.seed, "Of the splits")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_flag("--allow-leak", import.allow_leak,
                    "Take an official split although it has a patient in two parts");
  add_protection_options(*command, options);
  command->add_option("--bits", import.bits, "Of the PNG images: 8, 16, or 0 for what suits the data set")
      ->check(CLI::IsMember({0, 8, 16}))
      ->capture_default_str();
  command->add_option("--longest-side", import.longest_side, "Make larger images smaller, to this; 0: none")
      ->check(CLI::Range(0, 32768))
      ->capture_default_str();
  add_threads_option(*command, import.threads);
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options] { run(*options); });
}

}  // namespace medretrieval::cli
