#include <iostream>
#include <map>
#include <medretrieval/imaging/phantom.hpp>
#include <medretrieval/imaging/phantom_dataset.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "command.hpp"
#include "progress_line.hpp"
#include "search_options.hpp"

namespace medretrieval::cli {

namespace {

constexpr const char* kImages = "images";  // no published form, but images with a manifest

struct Options {
  imaging::PhantomFolderOptions folder;
  std::string form = kImages;
  std::size_t slices = imaging::PhantomDatasetOptions().slices;
  std::string out;
  bool json = false;
};

/// In the form of a published data set.
void write_dataset(const Options& options) {
  const auto& phantom = options.folder.phantom;
  imaging::PhantomDatasetOptions dataset;
  dataset.patients = phantom.patients;
  dataset.images_per_patient = phantom.images_per_patient;
  dataset.slices = options.slices;
  if (phantom.side != 0) dataset.side = phantom.side;
  dataset.seed = phantom.seed;
  dataset.threads = options.folder.threads;
  const auto counts = imaging::write_phantom_dataset(options.form, options.out, dataset, progress_line());
  if (options.json) {
    const nlohmann::ordered_json document = {{"folder", options.out},
                                             {"form", options.form},
                                             {"images", counts.images},
                                             {"patients", counts.patients},
                                             {"synthetic", true}};
    std::cout << document.dump(2) << '\n';
  } else {
    std::cout << counts.images << " synthetic images of " << counts.patients
              << " synthetic patients in the form of " << options.form << " in " << options.out
              << "\nmedretrieval import --dataset " << options.form << " --root " << options.out
              << " --out FOLDER reads them\n";
  }
}

void write_images(const Options& options) {
  imaging::write_phantom_folder(options.out, options.folder, progress_line());
  const auto& phantom = options.folder.phantom;
  const std::size_t images = phantom.patients * phantom.images_per_patient;
  if (options.json) {
    const nlohmann::ordered_json document = {{"folder", options.out},
                                             {"manifest", options.out + "/manifest.csv"},
                                             {"images", images},
                                             {"patients", phantom.patients},
                                             {"synthetic", true}};
    std::cout << document.dump(2) << '\n';
  } else {
    std::cout << images << " synthetic images of " << phantom.patients << " synthetic patients in "
              << options.out << '\n';
  }
}

/// What is written in each form.
std::string forms_help() {
  std::string text = "Forms:\n  images: PNG with manifest.csv, and a mask of each lesion\n";
  for (const std::string& name : imaging::phantom_dataset_names()) {
    text += "  " + name + ": " + imaging::phantom_dataset_description(name) + "\n";
  }
  return text +
         "\nExamples:\n  medretrieval phantom --out phantoms\n"
         "  medretrieval phantom --kind chest-xray --patients 200 --dicom --out phantoms\n"
         "  medretrieval phantom --form chestx-ray14 --patients 100 --out ChestXray\n"
         "  medretrieval phantom --form chexpert --patients 100 --out CheXpert\n"
         "  medretrieval phantom --form deeplesion --patients 100 --out DeepLesion\n"
         "  medretrieval phantom --form luna16 --patients 40 --out LUNA16\n"
         "  medretrieval phantom --form lidc-idri --patients 50 --out LIDC-IDRI\n";
}

/// Options that the form would not look at.
void refuse_unused(const CLI::App& command, const std::string& form) {
  const bool images = form == kImages;
  const bool scans = !images && imaging::phantom_dataset_has_scans(form);
  std::vector<std::string> unused;
  if (!images) unused = {"--kind", "--dicom", "--offset-mm"};
  unused.emplace_back(scans ? "--images-per-patient" : "--slices");
  for (const auto& name : unused) {
    if (command.count(name) > 0) {
      throw Error(ErrorCode::invalid_argument, name + " means nothing for phantoms of the form " + form);
    }
  }
}

}  // namespace

void add_phantom_command(CLI::App& app) {
  auto* command = app.add_subcommand("phantom", "Write SYNTHETIC chest images with a manifest");
  command->footer(forms_help());
  auto options = std::make_shared<Options>();
  auto& phantom = options->folder.phantom;
  const std::map<std::string, imaging::PhantomKind> kinds = {
      {"chest-ct", imaging::PhantomKind::chest_ct}, {"chest-xray", imaging::PhantomKind::chest_xray}};
  command->add_option("--out", options->out, "Folder to make; must be empty or not exist")->required();
  command->add_option("--kind", phantom.kind, "Of images: chest-ct (nodules) or chest-xray (findings)")
      ->transform(one_of(kinds))
      ->type_name("KIND");
  std::vector<std::string> forms = imaging::phantom_dataset_names();
  forms.insert(forms.begin(), kImages);
  command->add_option("--form", options->form, "images with a manifest, or a published data set's form")
      ->check(CLI::IsMember(forms))
      ->type_name("FORM")
      ->capture_default_str();
  command->add_option("--slices", options->slices, "Of each scan, in the forms luna16 and lidc-idri")
      ->capture_default_str();
  command->add_option("--patients", phantom.patients, "Synthetic patients")->capture_default_str();
  command
      ->add_option("--images-per-patient", phantom.images_per_patient,
                   "Images of each; at most so many in the forms chestx-ray14, chexpert and deeplesion")
      ->capture_default_str();
  command
      ->add_option("--side", phantom.side,
                   "Pixels along a side, 64 to 1024; 0: 128 around a nodule, otherwise 256")
      ->capture_default_str();
  command
      ->add_option("--offset-mm", phantom.offset_mm,
                   "chest-ct: how far off the middle a nodule may lie along each axis, 0 to 16")
      ->capture_default_str();
  command->add_option("--seed", phantom.seed, "Of everything drawn")->capture_default_str();
  command->add_flag("--dicom", options->folder.dicom, "Write images as DICOM files too");
  add_threads_option(*command, options->folder.threads);
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options, command] {
    refuse_unused(*command, options->form);
    if (options->form == kImages) return write_images(*options);
    write_dataset(*options);
  });
}

}  // namespace medretrieval::cli
