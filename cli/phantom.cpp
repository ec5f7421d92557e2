#include <spdlog/spdlog.h>

#include <iostream>
#include <map>
#include <medretrieval/imaging/phantom.hpp>
#include <medretrieval/imaging/phantom_lidc.hpp>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "progress_line.hpp"
#include "search_options.hpp"

namespace medretrieval::cli {

namespace {

enum class Form { images, lidc_idri };

struct Options {
  imaging::PhantomFolderOptions folder;
  Form form = Form::images;
  std::size_t slices = imaging::PhantomLidcOptions().slices;
  std::string out;
  bool json = false;
};

void write_lidc_idri(const Options& options) {
  imaging::PhantomLidcOptions lidc;
  lidc.patients = options.folder.phantom.patients;
  lidc.slices = options.slices;
  lidc.seed = options.folder.phantom.seed;
  if (options.folder.phantom.side != 0) lidc.side = options.folder.phantom.side;
  lidc.threads = options.folder.threads;
  imaging::write_phantom_lidc_idri(options.out, lidc, progress_line());
  const std::size_t images = lidc.patients * lidc.slices;
  if (options.json) {
    const nlohmann::ordered_json document = {
        {"folder", options.out}, {"images", images}, {"patients", lidc.patients}, {"synthetic", true}};
    std::cout << document.dump(2) << '\n';
  } else {
    std::cout << images << " synthetic slices of " << lidc.patients
              << " synthetic patients in the form of LIDC-IDRI in " << options.out << '\n';
  }
}

void run(const Options& options) {
  if (options.form == Form::lidc_idri) return write_lidc_idri(options);
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

}  // namespace

void add_phantom_command(CLI::App& app) {
  auto* command = app.add_subcommand("phantom", "Write SYNTHETIC chest images with a manifest");
  command->footer(
      "Examples:\n  medretrieval phantom --out phantoms\n"
      "  medretrieval phantom --kind chest-xray --patients 200 --dicom --out phantoms\n"
      "  medretrieval phantom --form lidc-idri --patients 50 --out LIDC-IDRI\n");
  auto options = std::make_shared<Options>();
  auto& phantom = options->folder.phantom;
  const std::map<std::string, imaging::PhantomKind> kinds = {
      {"chest-ct", imaging::PhantomKind::chest_ct}, {"chest-xray", imaging::PhantomKind::chest_xray}};
  command->add_option("--out", options->out, "Folder to make; must be empty or not exist")->required();
  command->add_option("--kind", phantom.kind, "chest-ct (nodules) or chest-xray (findings)")
      ->transform(one_of(kinds))
      ->type_name("KIND");
  const std::map<std::string, Form> forms = {{"images", Form::images}, {"lidc-idri", Form::lidc_idri}};
  command
      ->add_option("--form", options->form,
                   "images with a manifest, or lidc-idri: whole CT series in DICOM with the readers' XML")
      ->transform(one_of(forms))
      ->type_name("FORM")
      ->default_str("images");
  command->add_option("--slices", options->slices, "Of each series, in the form of LIDC-IDRI")
      ->capture_default_str();
  command
      ->add_option("--side", phantom.side,
                   "Pixels along a side of an image, 64 to 1024; 0: 128 for a region, 256 for a whole chest")
      ->capture_default_str();
  command->add_option("--patients", phantom.patients, "Synthetic patients")->capture_default_str();
  command->add_option("--images-per-patient", phantom.images_per_patient, "Images of each")
      ->capture_default_str();
  command->add_option("--seed", phantom.seed, "Of everything drawn")->capture_default_str();
  command->add_flag("--dicom", options->folder.dicom, "Write DICOM files too");
  command->add_option("--threads", options->folder.threads, "0: all")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options] { run(*options); });
}

}  // namespace medretrieval::cli
