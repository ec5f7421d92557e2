// CheXpert: radiographs by patient and study, train.csv and valid.csv with 14 observations.
#include <array>

#include "base/concat.hpp"
#include "base/random.hpp"
#include "imaging/datasets/dataset_files.hpp"
#include "imaging/file_bytes.hpp"
#include "imaging/jpeg_write.hpp"
#include "imaging/phantom_datasets/form.hpp"
#include "imaging/phantom_draw.hpp"

namespace medretrieval::imaging::phantom {

using datasets::padded;
using detail::concat;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kTag = 0x43584552;
constexpr std::size_t kValidationEvery = 5;      // of so many patients the last is in valid.csv
constexpr std::size_t kLabelStream = 2'000'000;  // the number of a stream that draws no image
constexpr double kCertain = 0.35;                // findings below this severity are marked uncertain
constexpr const char* kTraining = "train.csv";
constexpr const char* kValidation = "valid.csv";

enum Observation : std::size_t {
  no_finding,
  enlarged_cardiomediastinum,
  cardiomegaly,
  lung_opacity,
  lung_lesion,
  edema,
  consolidation,
  pneumonia,
  atelectasis,
  pneumothorax,
  pleural_effusion,
  pleural_other,
  fracture,
  support_devices,
  kObservations
};

/// How far each observation has gone: the worst of the findings that show it.
std::array<double, kObservations> observed(const PhantomImage& drawn) {
  const auto severity = [&](const char* finding) {
    return drawn.attributes.at(std::string("severity_") + finding);
  };
  std::array<double, kObservations> now{};
  now[cardiomegaly] = now[enlarged_cardiomediastinum] = severity("cardiomegaly");
  now[lung_lesion] = std::max(severity("nodule"), severity("mass"));
  now[consolidation] = severity("consolidation");
  now[atelectasis] = severity("atelectasis");
  now[pneumothorax] = severity("pneumothorax");
  now[pleural_effusion] = severity("effusion");
  now[lung_opacity] = std::max({now[lung_lesion], now[consolidation], now[atelectasis]});
  return now;
}

/// The 14 fields. The validation part was read by radiologists: each observation is there or not.
std::array<std::string, kObservations> marks(const PhantomImage& drawn, bool is_validation,
                                             detail::Random& random) {
  const auto now = observed(drawn);
  std::array<std::string, kObservations> fields;
  bool any = false;
  for (std::size_t i = no_finding + 1; i < kObservations; ++i) {
    any = any || now[i] > 0;
    const bool is_mentioned = random.uniform() < 0.3;
    if (now[i] > 0) {
      fields[i] = is_validation || now[i] >= kCertain ? "1.0" : "-1.0";
    } else if (is_validation || is_mentioned) {
      fields[i] = "0.0";
    }
  }
  fields[no_finding] = !any ? "1.0" : is_validation ? "0.0" : "";
  return fields;
}

std::string row(const std::string& path, const PhantomImage& drawn,
                const std::array<std::string, kObservations>& fields) {
  const auto& truth = drawn.attributes;
  std::string line = concat(path, ',', truth.at("female") == 1 ? "Female" : "Male", ',', truth.at("age"),
                            ",Frontal,", truth.at("view_ap") == 1 ? "AP" : "PA");
  for (const std::string& field : fields) line.append(",").append(field);
  return line + "\n";
}

PatientRows write_patient(const fs::path& folder, const PhantomDatasetOptions& options, std::size_t patient) {
  const PhantomOptions drawing = drawing_of(options, PhantomKind::chest_xray, kTag);
  const bool is_validation = patient % kValidationEvery == kValidationEvery - 1;
  detail::Random random = image_stream(drawing, patient, kLabelStream);
  PatientRows written;
  written.images = draw_image_count(drawing, patient);
  for (std::size_t index = 0; index < written.images; ++index) {
    const PhantomImage drawn = draw_phantom(drawing, patient, index);
    const std::string path =
        concat(is_validation ? "valid" : "train", "/patient",
               padded(static_cast<std::int64_t>(patient + 1), 5), "/study", index + 1, "/view1_frontal.jpg");
    write_file(with_folder(folder / path), encode_jpeg(drawn.image));
    written.rows[is_validation ? kValidation : kTraining] +=
        row("CheXpert-v1.0-small/" + path, drawn, marks(drawn, is_validation, random));
  }
  return written;
}

PhantomDatasetCounts write(const fs::path& folder, const PhantomDatasetOptions& options,
                           const Progress& progress) {
  const char* head =
      "Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Enlarged Cardiomediastinum,Cardiomegaly,Lung Opacity,"
      "Lung Lesion,Edema,Consolidation,Pneumonia,Atelectasis,Pneumothorax,Pleural Effusion,Pleural Other,"
      "Fracture,Support Devices\n";
  return write_form(folder, options, progress, {{kTraining, head}, {kValidation, head}},
                    [&](std::size_t patient) { return write_patient(folder, options, patient); });
}

}  // namespace

Form chexpert_form() {
  return {"chexpert",
          "frontal radiographs, train.csv and valid.csv; findings that are hardly visible are marked "
          "uncertain",
          write};
}

}  // namespace medretrieval::imaging::phantom
