// NIH ChestX-ray14 (Wang et al., CVPR 2017): 112,120 frontal radiographs of 30,805 patients, text-mined labels.
#include <algorithm>
#include <medretrieval/imaging/chest_boxes.hpp>
#include <medretrieval/imaging/dataset.hpp>
#include <unordered_map>

#include "base/concat.hpp"
#include "imaging/datasets/chest_findings.hpp"
#include "imaging/datasets/dataset_files.hpp"
#include "imaging/file_bytes.hpp"

namespace medretrieval::imaging::datasets {

using detail::concat;
using detail::fail;
namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kOldestPatient = 120;

/// Boxes by image: findings and "x y width height" of each.
struct Boxes {
  std::string findings;
  std::string corners;
};
using BoxTable = std::unordered_map<std::string, Boxes>;
using OfficialTable = std::unordered_map<std::string, OfficialSplit>;

BoxTable read_boxes(const fs::path& file) {
  BoxTable boxes;
  for (const auto& [image, found] : read_chest_boxes(file)) {
    Boxes& entry = boxes[image];
    for (const ChestBox& box : found) {
      append_to_list(entry.findings, "|", box.finding);
      append_to_list(entry.corners, "|",
                     concat(number_text(box.left), ' ', number_text(box.top), ' ', number_text(box.width),
                            ' ', number_text(box.height)));
    }
  }
  return boxes;
}

/// One image name a line.
void read_official(const fs::path& file, OfficialSplit part, OfficialTable& table) {
  naming_file(file, [&] {
    CsvFile lines(file);
    while (const auto line = lines.next()) {
      std::string name = line->fields[0];
      while (name.ends_with(' ')) name.pop_back();
      if (line->fields.size() != 1 || name.empty() || name.find_first_of("/ ") != std::string::npos) {
        fail(ErrorCode::corrupt, "line ", line->line, ": expected the name of one image, got \"",
             line->fields[0].substr(0, 80), "\"");
      }
      const auto [entry, is_new] = table.emplace(name, part);
      if (!is_new && entry->second != part) {
        fail(ErrorCode::corrupt, "line ", line->line, ": ", name, " is in both lists");
      }
    }
  });
}

OfficialTable read_official_lists(const fs::path& root) {
  OfficialTable table;
  const fs::path training = root / "train_val_list.txt";
  const fs::path test = root / "test_list.txt";
  if (fs::exists(training)) read_official(training, OfficialSplit::train, table);
  if (fs::exists(test)) read_official(test, OfficialSplit::test, table);
  return table;
}

/// The header of 2017 has a blank column at the end, ages like "058Y"; that of 2020 has neither.
class DataEntry {
 public:
  explicit DataEntry(const fs::path& file) : table_(file) {}

  bool next() { return table_.next(); }
  const CsvTable& table() const { return table_; }
  const std::string& image() const { return file_name(table_, image_); }

  /// All but the source of the pixels.
  DatasetRecord record(RecordSink& sink) const {
    DatasetRecord record;
    record.key = stem(image());
    record.patient = patient();
    record.study = record.patient + "-" + padded(table_.whole_number(follow_up_, 0, 1'000'000), 3);
    record.modality = "DX";
    record.labels = labels();
    record.attributes["follow_up"] = table_.text(follow_up_);
    record.attributes["age"] = age(sink);
    record.attributes["sex"] = one_of(sex_, {"M", "F"});
    record.attributes["view"] = one_of(view_, {"PA", "AP"});
    record.attributes["original_width"] = concat(table_.whole_number(width_, 1, 65535));
    record.attributes["original_height"] = concat(table_.whole_number(height_, 1, 65535));
    record.attributes["original_spacing_x_mm"] = number_text(table_.number(spacing_x_, 1e-6, 100));
    record.attributes["original_spacing_y_mm"] = number_text(table_.number(spacing_y_, 1e-6, 100));
    return record;
  }

 private:
  /// The number of the patient, which the image's name begins with.
  std::string patient() const {
    std::string id = padded(table_.whole_number(patient_, 0, 99'999'999), 8);
    if (!image().starts_with(id + "_")) table_.refuse(patient_, "the patient that \"" + image() + "\" names");
    return id;
  }

  std::vector<std::string> labels() const {
    std::vector<std::string> labels;
    std::string_view rest = table_.text(findings_);
    do {
      const std::size_t end = std::min(rest.find('|'), rest.size());
      const std::string label(rest.substr(0, end));
      if (!is_chest_finding(label)) table_.refuse(findings_, "findings of ChestX-ray14");
      if (std::find(labels.begin(), labels.end(), label) == labels.end()) labels.push_back(label);
      rest.remove_prefix(std::min(end + 1, rest.size()));
    } while (!rest.empty());
    return labels;
  }

  /// In years. The first edition has ages of up to 414 years.
  std::string age(RecordSink& sink) const {
    const std::string& text = table_.text(age_);
    const bool has_unit =
        !text.empty() && std::string_view("YMD").find(text.back()) != std::string_view::npos;
    const auto value = parse_number(std::string_view(text).substr(0, text.size() - (has_unit ? 1 : 0)));
    if (!value || *value < 0 || *value > 1000) table_.refuse(age_, "an age");
    const double years = has_unit && text.back() == 'M'   ? *value / 12
                         : has_unit && text.back() == 'D' ? *value / 365.25
                                                          : *value;
    if (years > kOldestPatient) {
      sink.note("impossible_age", concat(table_.file().string(), " line ", table_.line(), ": ", text));
      return {};
    }
    return number_text(years);
  }

  std::string one_of(std::size_t column, std::initializer_list<std::string_view> values) const {
    const std::string& text = table_.text(column);
    if (std::find(values.begin(), values.end(), text) == values.end()) {
      std::string names;
      for (const std::string_view value : values) append_to_list(names, " or ", value);
      table_.refuse(column, names);
    }
    return text;
  }

  CsvTable table_;
  std::size_t image_ = table_.column("Image Index");
  std::size_t findings_ = table_.column("Finding Labels");
  std::size_t follow_up_ = table_.column("Follow-up #");
  std::size_t patient_ = table_.column("Patient ID");
  std::size_t age_ = table_.column("Patient Age");
  std::size_t sex_ = table_.column("Patient Gender");
  std::size_t view_ = table_.column("View Position");
  std::size_t width_ = table_.column("OriginalImage[Width");
  std::size_t height_ = table_.column("Height]");
  std::size_t spacing_x_ = table_.column("OriginalImagePixelSpacing[x");
  std::size_t spacing_y_ = table_.column("y]");
};

void read(const fs::path& root, const Parameters&, RecordSink& sink) {
  const fs::path file = need_file(root, {"Data_Entry_2017_v2020.csv", "Data_Entry_2017.csv"});
  const OfficialTable official = read_official_lists(root);
  const fs::path box_file = root / "BBox_List_2017.csv";
  const BoxTable boxes = fs::exists(box_file) ? read_boxes(box_file) : BoxTable();
  ImageFolders folders;
  for (int i = 1; i <= 12; ++i) folders.add(root / ("images_" + padded(i, 3)) / "images");
  folders.add(root / "images");
  folders.add(root);
  sink.expect(count_rows(file));
  DataEntry entry(file);
  while (entry.next()) {
    DatasetRecord record = entry.record(sink);
    const std::string& image = entry.image();
    record.source.file = folders.find_or_expect(image, root);
    if (const auto part = official.find(image); part != official.end()) record.official = part->second;
    if (const auto box = boxes.find(image); box != boxes.end()) {
      record.attributes["box_findings"] = box->second.findings;
      record.attributes["boxes"] = box->second.corners;
    }
    sink.add(std::move(record));
  }
}

}  // namespace

DatasetType chestx_ray14_dataset() {
  DatasetType type;
  type.name = "chestx-ray14";
  type.description =
      "NIH ChestX-ray14: Data_Entry_2017_v2020.csv or Data_Entry_2017.csv, images/ or images_001/ to "
      "images_012/; BBox_List_2017.csv, train_val_list.txt and test_list.txt where they are there";
  type.attributes = {"follow_up",
                     "age",
                     "sex",
                     "view",
                     "original_width",
                     "original_height",
                     "original_spacing_x_mm",
                     "original_spacing_y_mm",
                     "box_findings",
                     "boxes"};
  type.has_official_split = true;
  type.official_files = {"train_val_list.txt", "test_list.txt"};
  type.read = read;
  return type;
}

}  // namespace medretrieval::imaging::datasets
