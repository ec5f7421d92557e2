// CheXpert (Irvin et al., AAAI 2019): chest radiographs with 14 observations that are positive (1), negative
// (0), uncertain (-1) or not mentioned (blank).
#include <algorithm>
#include <array>
#include <medretrieval/imaging/dataset.hpp>

#include "base/concat.hpp"
#include "imaging/datasets/dataset_files.hpp"

namespace medretrieval::imaging::datasets {

using detail::concat;
using detail::fail;
namespace fs = std::filesystem;

namespace {

constexpr std::array<const char*, 14> kObservations = {"No Finding",       "Enlarged Cardiomediastinum",
                                                       "Cardiomegaly",     "Lung Opacity",
                                                       "Lung Lesion",      "Edema",
                                                       "Consolidation",    "Pneumonia",
                                                       "Atelectasis",      "Pneumothorax",
                                                       "Pleural Effusion", "Pleural Other",
                                                       "Fracture",         "Support Devices"};

/// What an uncertain observation counts as.
enum class Uncertain { zeros, ones, ignore, own_class };

Uncertain uncertain_policy(const Parameters& options) {
  const std::string& name = std::get<std::string>(options.at("uncertain"));
  if (name == "zeros") return Uncertain::zeros;
  if (name == "ones") return Uncertain::ones;
  if (name == "ignore") return Uncertain::ignore;
  if (name == "class") return Uncertain::own_class;
  fail(ErrorCode::invalid_argument, "uncertain must be zeros, ones, ignore or class, got '", name, "'");
}

/// "frontal", "lateral", or all.
std::string wanted_view(const Parameters& options) {
  const std::string& name = std::get<std::string>(options.at("view"));
  if (name == "all" || name == "frontal" || name == "lateral") return name;
  fail(ErrorCode::invalid_argument, "view must be all, frontal or lateral, got '", name, "'");
}

class Table {
 public:
  explicit Table(const fs::path& file) : table_(file) {
    for (std::size_t i = 0; i < kObservations.size(); ++i) observations_[i] = table_.column(kObservations[i]);
  }

  bool next() { return table_.next(); }
  std::string place() const { return concat(table_.file().string(), " line ", table_.line()); }

  /// ".../train/patient00001/study1/view1_frontal.jpg", in parts.
  std::vector<std::string> path() const {
    std::vector<std::string> parts = path_parts(table_, path_);
    const std::size_t count = parts.size();
    if (count < 4 || !parts[count - 3].starts_with("patient") || !parts[count - 2].starts_with("study")) {
      table_.refuse(path_, "a path that ends in patient, study and image");
    }
    return parts;
  }

  bool is_frontal() const {
    const std::string& view = table_.text(view_);
    if (view != "Frontal" && view != "Lateral") table_.refuse(view_, "Frontal or Lateral");
    return view == "Frontal";
  }

  /// Labels by the policy; the uncertain observations are listed beside them.
  void read_observations(Uncertain policy, DatasetRecord& record) const {
    std::string uncertain;
    for (std::size_t i = 0; i < kObservations.size(); ++i) {
      const std::string name = kObservations[i];
      const std::string& text = table_.text(observations_[i]);
      if (text.empty()) continue;
      const auto value = parse_number(text);
      if (!value || (*value != 1 && *value != 0 && *value != -1)) {
        table_.refuse(observations_[i], "1, 0, -1 or nothing");
      }
      if (*value == 1 || (*value == -1 && policy == Uncertain::ones)) record.labels.push_back(name);
      if (*value == -1 && policy == Uncertain::own_class) record.labels.push_back(name + " (uncertain)");
      if (*value == -1) append_to_list(uncertain, "|", name);
    }
    record.attributes["uncertain"] = uncertain;
  }

  void read_patient(DatasetRecord& record) const {
    const std::string& sex = table_.text(sex_);
    if (sex != "Female" && sex != "Male" && sex != "Unknown") table_.refuse(sex_, "Female, Male or Unknown");
    const std::string& projection = table_.text(projection_);
    if (projection.size() > 2) table_.refuse(projection_, "AP, PA, LL, RL or nothing");
    record.attributes["sex"] = sex == "Unknown" ? "" : sex.substr(0, 1);
    record.attributes["age"] = number_text(table_.number(age_, 0, 120));
    record.attributes["view"] = is_frontal() ? "frontal" : "lateral";
    record.attributes["projection"] = projection;
  }

 private:
  CsvTable table_;
  std::size_t path_ = table_.column("Path");
  std::size_t sex_ = table_.column("Sex");
  std::size_t age_ = table_.column("Age");
  std::size_t view_ = table_.column("Frontal/Lateral");
  std::size_t projection_ = table_.column("AP/PA");
  std::array<std::size_t, kObservations.size()> observations_{};
};

/// The paths of the tables begin with the name of the data set's folder: the root may be that folder, whatever
/// its name, or the one above it.
fs::path image_file(const fs::path& root, const std::vector<std::string>& parts) {
  fs::path inside = root;
  fs::path above = root;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    above /= parts[i];
    if (i > 0) inside /= parts[i];
  }
  std::error_code error;
  return fs::is_regular_file(inside, error) ? inside : above;
}

void read_table(const fs::path& root, const fs::path& file, OfficialSplit part, const Parameters& options,
                RecordSink& sink) {
  const Uncertain policy = uncertain_policy(options);
  const std::string view = wanted_view(options);
  Table table(file);
  while (table.next()) {
    const std::vector<std::string> parts = table.path();
    DatasetRecord record;
    const auto end = parts.end();
    record.key = concat(*(end - 4), '-', *(end - 3), '-', *(end - 2), '-', stem(*(end - 1)));
    record.patient = *(end - 3);
    record.study = record.patient + "-" + *(end - 2);
    record.modality = "DX";
    record.official = part;
    table.read_observations(policy, record);
    table.read_patient(record);
    if (view != "all" && (view == "frontal") != table.is_frontal()) {
      sink.skip("other_view", table.place());
      continue;
    }
    if (policy == Uncertain::ignore && !record.attributes["uncertain"].empty()) {
      sink.skip("uncertain_labels", table.place());
      continue;
    }
    record.source.file = image_file(root, parts);
    sink.add(std::move(record));
  }
}

void read(const fs::path& root, const Parameters& options, RecordSink& sink) {
  const fs::path training = need_file(root, {"train.csv"});
  const fs::path validation = root / "valid.csv";
  const bool has_validation = fs::exists(validation);
  sink.expect(count_rows(training) + (has_validation ? count_rows(validation) : 0));
  read_table(root, training, OfficialSplit::train, options, sink);
  if (has_validation) read_table(root, validation, OfficialSplit::validation, options, sink);
}

}  // namespace

DatasetType chexpert_dataset() {
  DatasetType type;
  type.name = "chexpert";
  type.description = "CheXpert: train.csv, valid.csv where it is there, and the images that they name";
  type.options = {{"uncertain", std::string("zeros"), 0, 0,
                   "an uncertain observation is no label (zeros), a label (ones), a label of its own "
                   "(class), or its image "
                   "is left out (ignore)"},
                  {"view", std::string("all"), 0, 0, "all, frontal or lateral"}};
  type.attributes = {"sex", "age", "view", "projection", "uncertain"};
  type.has_official_split = true;
  type.official_files = {"valid.csv"};
  type.read = read;
  return type;
}

}  // namespace medretrieval::imaging::datasets
