#include "imaging/phantom_datasets/form.hpp"

#include <array>
#include <charconv>
#include <vector>

#include "base/concat.hpp"
#include "base/parallel_for.hpp"
#include "base/random.hpp"
#include "imaging/csv_records.hpp"
#include "imaging/datasets/dataset_files.hpp"
#include "imaging/file_bytes.hpp"
#include "imaging/phantom_draw.hpp"
#include "imaging/phantom_output.hpp"
#include "imaging/reporter.hpp"

namespace medretrieval::imaging::phantom {

namespace fs = std::filesystem;

namespace {

/// The number of a stream that draws no image.
constexpr std::size_t kCountStream = 1'000'000;

void write_text(const fs::path& file, const std::string& text) {
  write_file(with_folder(file), {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

}  // namespace

PhantomDatasetCounts write_form(const fs::path& folder, const PhantomDatasetOptions& options,
                                const Progress& progress, const Tables& heads,
                                const std::function<PatientRows(std::size_t)>& write_patient) {
  NewFolder output(folder);
  std::vector<PatientRows> written(options.patients);
  Reporter reporter(progress, "draw phantoms", options.patients);
  detail::parallel_for(options.patients, options.threads, [&](std::size_t patient) {
    written[patient] = write_patient(patient);
    reporter.one_done();
  });
  PhantomDatasetCounts counts{options.patients, 0};
  Tables tables = heads;
  for (const PatientRows& of_patient : written) {
    for (const auto& [name, rows] : of_patient.rows) tables.at(name) += rows;
    counts.images += of_patient.images;
  }
  for (const auto& [name, text] : tables) write_text(folder / name, text);
  output.keep();
  return counts;
}

PhantomOptions drawing_of(const PhantomDatasetOptions& options, PhantomKind kind, std::uint64_t tag) {
  PhantomOptions drawing;
  drawing.kind = kind;
  drawing.patients = options.patients;
  drawing.images_per_patient = options.images_per_patient;
  drawing.side = options.side;
  drawing.region_mm = 0;
  drawing.seed = detail::Random(options.seed ^ tag).next();
  return drawing;
}

std::size_t draw_image_count(const PhantomOptions& drawing, std::size_t patient) {
  detail::Random random = image_stream(drawing, patient, kCountStream);
  return 1 + random.below(drawing.images_per_patient);
}

std::string table_line(std::initializer_list<std::string> fields) {
  std::string line;
  for (const std::string& field : fields) line.append(csv_field(field)).append(",");
  line.back() = '\n';
  return line;
}

std::string number_list(std::span<const double> numbers) {
  std::string list;
  for (const double number : numbers) datasets::append_to_list(list, ", ", datasets::number_text(number));
  return list;
}

std::string long_number(double value) {
  std::array<char, 40> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::general, 10).ptr;
  return {text.data(), end};
}

const fs::path& with_folder(const fs::path& file) {
  make_folder(file.parent_path());
  return file;
}

}  // namespace medretrieval::imaging::phantom
