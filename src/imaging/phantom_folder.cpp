#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fstream>
#include <medretrieval/imaging/load.hpp>
#include <medretrieval/imaging/mask.hpp>
#include <medretrieval/imaging/phantom.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/concat.hpp"
#include "base/parallel_for.hpp"
#include "base/random.hpp"
#include "imaging/csv_records.hpp"
#include "imaging/phantom_dicom.hpp"
#include "imaging/phantom_output.hpp"
#include "imaging/reporter.hpp"

namespace medretrieval::imaging {

namespace fs = std::filesystem;

namespace {

constexpr Window kCtWindow{-300, 1800};

void require_share(const char* name, double value) {
  if (!(value >= 0 && value <= 1)) {
    detail::fail(ErrorCode::invalid_argument, name, " must be 0 to 1, got ", value);
  }
}

/// The split of every patient. Exact counts, in an order drawn from the seed.
std::vector<const char*> draw_splits(const PhantomFolderOptions& options) {
  const auto patients = options.phantom.patients;
  const auto count = static_cast<double>(patients);
  const auto train_end = static_cast<std::size_t>(std::nearbyint(options.train_share * count));
  const auto database_end =
      static_cast<std::size_t>(std::nearbyint((options.train_share + options.database_share) * count));
  std::vector<const char*> splits(patients);
  for (std::size_t i = 0; i < patients; ++i) {
    splits[i] = i < train_end ? "train" : i < database_end ? "database" : "query";
  }
  detail::Random random(options.phantom.seed);
  for (std::size_t i = patients; i > 1; --i) std::swap(splits[i - 1], splits[random.below(i)]);
  return splits;
}

/// Six significant digits, in any locale.
std::string csv_number(double value) {
  std::array<char, 32> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::general, 6).ptr;
  return {text.data(), end};
}

std::string joined(const std::vector<std::string>& labels) {
  std::string text;
  for (const std::string& label : labels) text.append(text.empty() ? "" : "|").append(label);
  return text;
}

/// A header line, without its end.
std::string manifest_header(const PhantomImage& drawn) {
  std::string line = "path,patient_id,labels,split,synthetic,modality,study,date,mask";
  for (const auto& [name, value] : drawn.attributes) line.append(",").append(csv_field(name));
  return line;
}

/// A row without its path and its end.
std::string manifest_row(const PhantomImage& drawn, const char* split, const char* modality,
                         const std::string& mask) {
  std::string line;
  for (const std::string& field :
       {drawn.patient, joined(drawn.labels), std::string(split), std::string("yes"), std::string(modality),
        drawn.study, drawn.date, mask}) {
    line.append(",").append(csv_field(field));
  }
  for (const auto& [name, value] : drawn.attributes) line.append(",").append(csv_number(value));
  return line;
}

/// One image's manifest row and the name, without folder and extension, of its files.
struct Written {
  std::string name;
  std::string row;
};

/// Returns what the manifest says of it.
std::string write_mask(const Image& mask, const fs::path& folder, const std::string& name) {
  const auto pixels = mask.pixels();
  if (std::find(pixels.begin(), pixels.end(), 1.0F) == pixels.end()) return std::string(kNoLesion);
  std::string path = "masks/" + name + ".png";
  write_png(mask, folder / path);
  return path;
}

Written write_image(const fs::path& folder, const PhantomFolderOptions& options, std::size_t patient,
                    std::size_t index, const char* split) {
  const PhantomImage drawn = draw_phantom(options.phantom, patient, index);
  const bool is_ct = options.phantom.kind == PhantomKind::chest_ct;
  const std::string name = detail::concat(drawn.patient, "-", index / 10, index % 10);
  if (options.png) {
    const fs::path file = folder / "images" / (name + ".png");
    write_png(is_ct ? apply_window(drawn.image, kCtWindow) : drawn.image, file);
  }
  if (options.dicom) {
    phantom::write_phantom_dicom(drawn, options.phantom, patient, folder / "dicom" / (name + ".dcm"));
  }
  const std::string mask = write_mask(drawn.mask, folder, name);
  return {name, manifest_row(drawn, split, phantom::modality_of(options.phantom.kind), mask)};
}

void write_manifest(const fs::path& file, const std::string& header, const std::vector<Written>& images,
                    const std::string& subfolder, const std::string& extension) {
  std::ofstream stream(file, std::ios::binary);
  stream << header << "\r\n";
  for (const Written& image : images) {
    stream << subfolder << '/' << image.name << extension << image.row << "\r\n";
  }
  stream.flush();
  if (!stream) detail::fail(ErrorCode::io, "cannot write ", file.string());
}

}  // namespace

void PhantomFolderOptions::validate() const {
  phantom.validate();
  if (!png && !dicom) detail::fail(ErrorCode::invalid_argument, "png or dicom must be on, both are off");
  require_share("train_share", train_share);
  require_share("database_share", database_share);
  if (train_share + database_share > 1) {
    detail::fail(ErrorCode::invalid_argument, "train_share and database_share must come to at most 1, got ",
                 train_share, " and ", database_share);
  }
}

void write_phantom_folder(const fs::path& folder, const PhantomFolderOptions& options,
                          const Progress& progress) {
  options.validate();
  phantom::NewFolder output(folder);
  if (options.png) output.add_folder("images");
  if (options.dicom) output.add_folder("dicom");
  output.add_folder("masks");

  const std::size_t per_patient = options.phantom.images_per_patient;
  const std::vector<const char*> splits = draw_splits(options);
  std::vector<Written> images(options.phantom.patients * per_patient);
  Reporter reporter(progress, "draw phantoms", images.size());
  detail::parallel_for(images.size(), options.threads, [&](std::size_t i) {
    const std::size_t patient = i / per_patient;
    images[i] = write_image(folder, options, patient, i % per_patient, splits[patient]);
    reporter.one_done();
  });

  const std::string header = manifest_header(draw_phantom(options.phantom, 0, 0));
  if (options.png) write_manifest(folder / "manifest.csv", header, images, "images", ".png");
  if (options.dicom) {
    const char* name = options.png ? "manifest_dicom.csv" : "manifest.csv";
    write_manifest(folder / name, header, images, "dicom", ".dcm");
  }
  output.keep();
}

}  // namespace medretrieval::imaging
