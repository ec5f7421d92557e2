// DeepLesion (Yan et al., 2018): CT key slices with bookmarked lesions, as 16-bit PNG of HU + 32768.
#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <medretrieval/imaging/dataset.hpp>

#include "base/concat.hpp"
#include "imaging/datasets/dataset_files.hpp"
#include "imaging/file_bytes.hpp"

namespace medretrieval::imaging::datasets {

using detail::concat;
using detail::fail;
namespace fs = std::filesystem;

namespace {

constexpr double kStoredZero = 32768;  // the stored value of 0 HU
constexpr std::array<const char*, 8> kTypes = {"bone", "abdomen", "mediastinum", "liver",
                                               "lung", "kidney",  "soft tissue", "pelvis"};

struct Lesion {
  std::size_t line = 0;
  std::array<double, 4> box{};  ///< left, top, right, bottom in pixels
  int type = -1;                ///< 1 to 8, or -1: not labelled
  double longest_mm = 0;
  double shortest_mm = 0;
  std::string location;  ///< in the body, 0 to 1 along x, y, z
};

struct KeySlice {
  std::string patient, study, series;
  std::vector<Lesion> lesions;
  std::array<double, 2> size{};     ///< pixels
  std::array<double, 3> spacing{};  ///< mm
  Window window;                    ///< HU
  std::string sex, age;
  OfficialSplit official = OfficialSplit::none;
  std::size_t rows = 0;        ///< of the table, those left out too
  bool rows_disagree = false;  ///< on the part, the size or the spacing

  bool agrees_with(const KeySlice& other) const {
    return official == other.official && size == other.size && spacing == other.spacing;
  }
};

/// Rows of one slice need not follow each other, so the table is read before anything is given away.
using KeySlices = std::map<std::string, KeySlice>;

class InfoTable {
 public:
  explicit InfoTable(const fs::path& file) : table_(file) {}

  bool next() { return table_.next(); }
  std::string place() const { return concat(table_.file().string(), " line ", table_.line()); }
  bool is_noisy() const { return table_.whole_number(noisy_, 0, 1) == 1; }
  const std::string& image() const { return file_name(table_, file_); }

  /// All that the rows of a slice have in common.
  KeySlice slice() const {
    KeySlice slice;
    slice.patient = padded(table_.whole_number(patient_, 0, 999'999), 6);
    slice.study = slice.patient + "_" + padded(table_.whole_number(study_, 0, 9'999), 2);
    slice.series = slice.study + "_" + padded(table_.whole_number(series_, 0, 9'999), 2);
    if (!image().starts_with(slice.series + "_")) {
      table_.refuse(file_, "a name that begins with patient, study and series (" + slice.series + ")");
    }
    const auto size = table_.numbers(size_, 2);
    const auto spacing = table_.numbers(spacing_, 3);
    std::copy(size.begin(), size.end(), slice.size.begin());
    std::copy(spacing.begin(), spacing.end(), slice.spacing.begin());
    for (const double side : size) {
      if (side < 1 || side > static_cast<double>(kMaxImageSide)) table_.refuse(size_, "a size in pixels");
    }
    for (const double step : spacing) {
      if (!(step > 0) || step > 1000) table_.refuse(spacing_, "spacings in mm above 0");
    }
    const auto window = table_.numbers(window_, 2);
    if (!(window[0] < window[1])) table_.refuse(window_, "a window from a lower to a higher value");
    slice.window = {(window[0] + window[1]) / 2, window[1] - window[0]};
    slice.sex = table_.text(sex_) == "M" || table_.text(sex_) == "F" ? table_.text(sex_) : "";
    const auto age = parse_number(table_.text(age_));  // missing for some
    if (age && *age >= 0 && *age <= 120) slice.age = number_text(*age);
    constexpr std::array kParts = {OfficialSplit::train, OfficialSplit::validation, OfficialSplit::test};
    slice.official = kParts[static_cast<std::size_t>(table_.whole_number(part_, 1, 3) - 1)];
    return slice;
  }

  Lesion lesion(const KeySlice& slice) const {
    Lesion lesion;
    const auto box = table_.numbers(box_, 4);
    std::copy(box.begin(), box.end(), lesion.box.begin());
    // Some boxes reach a little over the edge.
    const bool overlaps = box[0] < box[2] && box[1] < box[3] && box[2] > 0 && box[3] > 0 &&
                          box[0] < slice.size[0] && box[1] < slice.size[1];
    if (!overlaps) table_.refuse(box_, "left, top, right and bottom of a box in the image");
    lesion.type = static_cast<int>(table_.whole_number(type_, -1, 8));
    if (lesion.type == 0) table_.refuse(type_, "a type from 1 to 8, or -1");
    const auto diameters = table_.numbers(diameters_, 2);
    lesion.longest_mm = diameters[0] * slice.spacing[0];
    lesion.shortest_mm = diameters[1] * slice.spacing[0];
    for (const double part : table_.numbers(location_, 3)) {
      append_to_list(lesion.location, " ", number_text(part));
    }
    return lesion;
  }

 private:
  CsvTable table_;
  std::size_t file_ = table_.column("File_name");
  std::size_t patient_ = table_.column("Patient_index");
  std::size_t study_ = table_.column("Study_index");
  std::size_t series_ = table_.column("Series_ID");
  std::size_t box_ = table_.column("Bounding_boxes");
  std::size_t diameters_ = table_.column("Lesion_diameters_Pixel_");
  std::size_t location_ = table_.column("Normalized_lesion_location");
  std::size_t type_ = table_.column("Coarse_lesion_type");
  std::size_t noisy_ = table_.column("Possibly_noisy");
  std::size_t spacing_ = table_.column("Spacing_mm_px_");
  std::size_t size_ = table_.column("Image_size");
  std::size_t window_ = table_.column("DICOM_windows");
  std::size_t sex_ = table_.column("Patient_gender");
  std::size_t age_ = table_.column("Patient_age");
  std::size_t part_ = table_.column("Train_Val_Test");
};

KeySlices read_table(const fs::path& file, bool with_noisy, RecordSink& sink) {
  InfoTable table(file);
  KeySlices slices;
  while (table.next()) {
    const KeySlice slice = table.slice();
    Lesion lesion = table.lesion(slice);
    KeySlice& entry = slices.try_emplace(table.image(), slice).first->second;
    ++entry.rows;
    entry.rows_disagree = entry.rows_disagree || !entry.agrees_with(slice);
    if (!with_noisy && table.is_noisy()) {
      sink.skip("possibly_noisy", table.place());
    } else {
      entry.lesions.push_back(std::move(lesion));
    }
  }
  return slices;
}

/// The published PNG of HU + 32768; an 8-bit copy has lost its Hounsfield units. In a copy of another size than
/// the table states, boxes would lie elsewhere.
Image load_key_slice(const ImageSource& source, const std::array<double, 2>& size) {
  constexpr std::size_t kWidthByte = 16;  // then the height
  constexpr std::size_t kDepthByte = 24;
  const auto head = naming_file(source.file, [&] { return read_head(source.file, kDepthByte + 1); });
  if (head.size() <= kDepthByte || detect_file_kind(source.file) != FileKind::png || head[kDepthByte] != 16) {
    fail(ErrorCode::unsupported, source.file.string(), ": expected a PNG with 16 bits, HU + 32768");
  }
  const auto side = [&](std::size_t byte) {
    return head[byte] * 16'777'216.0 + head[byte + 1] * 65'536.0 + head[byte + 2] * 256.0 + head[byte + 3];
  };
  const double width = side(kWidthByte);
  const double height = side(kWidthByte + 4);
  if (width != size[0] || height != size[1]) {
    fail(ErrorCode::corrupt, source.file.string(), ": expected ", size[0], " x ", size[1],
         " pixels as in Image_size, got ", width, " x ", height);
  }
  return load_source(source);
}

/// Gives records away, one a slice or one a lesion.
class Giver {
 public:
  Giver(const fs::path& root, const Parameters& options, RecordSink& sink)
      : sink_(sink),
        root_(root),
        by_lesion_(unit(options) == "lesion"),
        margin_(std::get<double>(options.at("margin_mm"))),
        window_{std::get<double>(options.at("window_center")), std::get<double>(options.at("window_width"))} {
    folders_.add(root / "Images_png");
    folders_.add(root / "Key_slices");
    folders_.add(root);
  }

  void give(const std::string& name, const KeySlice& slice) {
    if (slice.lesions.empty()) return;  // all noisy
    if (slice.rows_disagree) return sink_.skip("rows_disagree", name);
    // In a folder a series, named by the slice alone; some copies keep all in one folder.
    const auto found = folders_.find(slice.series + "/" + name.substr(slice.series.size() + 1));
    const fs::path file = found ? *found : folders_.find_or_expect(name, root_);
    if (!by_lesion_) return sink_.add(record(name, file, slice, slice.lesions));
    for (std::size_t i = 0; i < slice.lesions.size(); ++i) {
      const Lesion& lesion = slice.lesions[i];
      DatasetRecord one = record(name, file, slice, {lesion});
      one.key += concat("-lesion", i + 1);
      const PixelRegion region = region_around(lesion, slice);
      one.source.region = region;
      one.attributes["crop_x"] = std::to_string(region.x);
      one.attributes["crop_y"] = std::to_string(region.y);
      one.load = [source = one.source, size = slice.size] { return load_key_slice(source, size); };
      sink_.add(std::move(one));
    }
  }

 private:
  static std::string unit(const Parameters& options) {
    const std::string& name = std::get<std::string>(options.at("unit"));
    if (name == "slice" || name == "lesion") return name;
    fail(ErrorCode::invalid_argument, "unit must be slice or lesion, got '", name, "'");
  }

  DatasetRecord record(const std::string& name, const fs::path& file, const KeySlice& slice,
                       const std::vector<Lesion>& lesions) const {
    DatasetRecord record;
    record.key = stem(name);
    record.patient = slice.patient;
    record.study = slice.study;
    record.series = slice.series;
    record.modality = "CT";
    record.official = slice.official;
    Window window = window_.width > 0 ? window_ : slice.window;
    window.center += kStoredZero;
    record.source.file = file;
    record.source.options.window = window;
    record.load = [source = record.source, size = slice.size] { return load_key_slice(source, size); };
    record.attributes["sex"] = slice.sex;
    record.attributes["age"] = slice.age;
    record.attributes["pixel_spacing_mm"] = number_text(slice.spacing[0]);
    record.attributes["slice_spacing_mm"] = number_text(slice.spacing[2]);
    record.attributes["lesions"] = std::to_string(lesions.size());
    for (const Lesion& lesion : lesions) describe(lesion, record);
    return record;
  }

  static void describe(const Lesion& lesion, DatasetRecord& record) {
    const std::string label = lesion.type < 1 ? "" : kTypes[static_cast<std::size_t>(lesion.type - 1)];
    if (!label.empty() && std::find(record.labels.begin(), record.labels.end(), label) == record.labels.end())
      record.labels.push_back(label);
    const auto append = [&](const char* name, const std::string& text) {
      append_to_list(record.attributes[name], "|", text);
    };
    const auto& box = lesion.box;
    append("boxes", concat(number_text(box[0]), ' ', number_text(box[1]), ' ', number_text(box[2]), ' ',
                           number_text(box[3])));
    append("box_types", label.empty() ? "unknown" : label);
    append("longest_mm", number_text(lesion.longest_mm));
    append("shortest_mm", number_text(lesion.shortest_mm));
    append("body_location", lesion.location);
  }

  /// Of whole pixels, with all of the box and the margin in it; a square, so that shrinking it to a feature
  /// extractor's input keeps shapes.
  PixelRegion region_around(const Lesion& lesion, const KeySlice& slice) const {
    const double margin = margin_ / slice.spacing[0];
    const auto pixel = [](double value) {
      return static_cast<std::ptrdiff_t>(std::clamp(value, -32768.0, 32767.0));
    };
    std::array<std::ptrdiff_t, 2> corner{};
    std::array<std::ptrdiff_t, 2> length{};
    for (std::size_t axis = 0; axis < 2; ++axis) {
      corner[axis] = pixel(std::floor(lesion.box[axis] - margin));
      length[axis] =
          std::max<std::ptrdiff_t>(pixel(std::ceil(lesion.box[axis + 2] + margin)) - corner[axis], 1);
    }
    const std::ptrdiff_t side = std::min<std::ptrdiff_t>(std::max(length[0], length[1]), 32768);
    const auto pixels = static_cast<std::size_t>(side);
    return {corner[0] - (side - length[0]) / 2, corner[1] - (side - length[1]) / 2, pixels, pixels};
  }

  RecordSink& sink_;
  const fs::path& root_;
  bool by_lesion_;
  double margin_;
  Window window_;
  ImageFolders folders_;
};

void read(const fs::path& root, const Parameters& options, RecordSink& sink) {
  Giver giver(root, options, sink);
  const fs::path file = need_file(root, {"DL_info.csv"});
  const KeySlices slices = read_table(file, std::get<bool>(options.at("noisy")), sink);
  const bool by_lesion = std::get<std::string>(options.at("unit")) == "lesion";
  std::size_t records = 0;
  std::size_t rows = 0;
  for (const auto& [name, slice] : slices) {
    records += by_lesion ? slice.lesions.size() : (slice.lesions.empty() ? 0 : 1);
    rows += slice.rows - slice.lesions.size();
  }
  sink.expect(records + rows);
  for (const auto& [name, slice] : slices) giver.give(name, slice);
}

}  // namespace

DatasetType deeplesion_dataset() {
  DatasetType type;
  type.name = "deeplesion";
  type.description = "DeepLesion: DL_info.csv and the 16-bit key slices in Images_png/ or Key_slices/";
  type.options = {{"unit", std::string("slice"), 0, 0,
                   "an image is a whole key slice, or a lesion's surroundings (lesion)"},
                  {"margin_mm", 10.0, 0, 1000, "around a lesion's box, where the unit is lesion"},
                  {"window_center", 0.0, -32768, 32767,
                   "HU; with window_width 0 the window stated for the slice is taken"},
                  {"window_width", 0.0, 0, 65536, "HU"},
                  {"noisy", false, 0, 0, "take the lesions that the publisher marks as possibly noisy too"}};
  type.attributes = {"sex",       "age",        "pixel_spacing_mm", "slice_spacing_mm", "lesions", "boxes",
                     "box_types", "longest_mm", "shortest_mm",      "body_location",    "crop_x",  "crop_y"};
  type.has_official_split = true;
  type.bits = 16;
  type.read = read;
  return type;
}

}  // namespace medretrieval::imaging::datasets
