// LUNA16 (Setio et al., 2017): 888 CT scans of LIDC-IDRI as MetaImage, nodules and candidates in millimetres.
#include <algorithm>
#include <cmath>
#include <map>
#include <medretrieval/fingerprint.hpp>
#include <medretrieval/imaging/dataset.hpp>
#include <medretrieval/imaging/meta_image.hpp>
#include <medretrieval/imaging/nodule_region.hpp>
#include <memory>
#include <optional>
#include <span>

#include "base/concat.hpp"
#include "imaging/cut_out.hpp"
#include "imaging/datasets/dataset_files.hpp"
#include "imaging/datasets/lung_options.hpp"

namespace medretrieval::imaging::datasets {

using detail::concat;
namespace fs = std::filesystem;

namespace {

constexpr double kFarthestMm = 10'000;
constexpr std::size_t kLongestUid = 64;
/// These two scans are of one patient (LIDC-IDRI-0332); all others are of one patient each.
constexpr const char* kFirstScan = "1.3.6.1.4.1.14519.5.2.1.6279.6001.159996104466052855396410079250";
constexpr const char* kSecondScan = "1.3.6.1.4.1.14519.5.2.1.6279.6001.316900421002460665752357657094";

struct Spot {
  Point3 world{};          ///< mm
  double diameter_mm = 0;  ///< 0: not a nodule
  std::string place;       ///< file and line
};

/// What is known of one scan.
struct Scan {
  std::vector<Spot> nodules;
  std::map<Fingerprint, Spot> others;  ///< candidates that are no nodules, as many as wanted
};
using Scans = std::map<std::string, Scan>;

/// A table of places: series, coordinates.
class SpotTable {
 public:
  explicit SpotTable(const fs::path& file) : table_(file) {}
  bool next() { return table_.next(); }
  CsvTable& table() { return table_; }

  const std::string& series() const {
    const std::string& uid = table_.text(series_);
    if (uid.empty() || uid.size() > kLongestUid || uid.front() == '.' ||
        uid.find_first_not_of("0123456789.") != std::string::npos) {
      table_.refuse(series_, "a series instance UID");
    }
    return uid;
  }
  Spot spot() const {
    Spot spot;
    for (std::size_t i = 0; i < 3; ++i) spot.world[i] = table_.number(world_[i], -kFarthestMm, kFarthestMm);
    spot.place = concat(table_.file().string(), " line ", table_.line());
    return spot;
  }

 private:
  CsvTable table_;
  std::size_t series_ = table_.column("seriesuid");
  std::array<std::size_t, 3> world_ = {table_.column("coordX"), table_.column("coordY"),
                                       table_.column("coordZ")};
};

void read_nodules(const fs::path& file, Scans& scans) {
  SpotTable table(file);
  const std::size_t diameter = table.table().column("diameter_mm");
  while (table.next()) {
    Spot spot = table.spot();
    spot.diameter_mm = table.table().number(diameter, 0.01, 1000);
    scans[table.series()].nodules.push_back(std::move(spot));
  }
}

/// Of the candidates of class 0 the `wanted` of each scan whose hashes are least: a draw that depends on no
/// order.
void read_others(const fs::path& file, std::size_t wanted, Scans& scans) {
  SpotTable table(file);
  const std::size_t kind = table.table().column("class");
  while (table.next()) {
    if (table.table().whole_number(kind, 0, 1) == 1) continue;
    Spot spot = table.spot();
    const std::string text = concat(spot.world[0], ' ', spot.world[1], ' ', spot.world[2]);
    auto& drawn = scans[table.series()].others;
    drawn.emplace(Fingerprint::of(std::as_bytes(std::span(text))), std::move(spot));
    if (drawn.size() > wanted) drawn.erase(std::prev(drawn.end()));
  }
}

/// Patient by series, from LIDC-IDRI's own table.
std::map<std::string, std::string> read_patients(const fs::path& root) {
  std::map<std::string, std::string> patients = {{kSecondScan, kFirstScan}};
  const fs::path file = root / "LIDC-IDRI_MetaData.csv";
  if (!fs::exists(file)) return patients;
  CsvTable table(file);
  const std::size_t series = table.column("Series UID");
  const std::size_t patient = table.column("Patient Id");
  while (table.next()) patients[table.text(series)] = table.text(patient);
  return patients;
}

class Giver {
 public:
  Giver(const fs::path& root, const Parameters& options, RecordSink& sink)
      : sink_(sink),
        patients_(read_patients(root)),
        slices_(static_cast<std::ptrdiff_t>(std::get<std::int64_t>(options.at("slices")))),
        region_mm_(std::get<double>(options.at("region_mm"))),
        window_{std::get<double>(options.at("window_center")), std::get<double>(options.at("window_width"))},
        lungs_(lungs_of(options, window_)) {
    for (int i = 0; i < 10; ++i) folders_.add(root / ("subset" + std::to_string(i)));
    folders_.add(root);
  }

  void give(const std::string& series, const Scan& scan) {
    const auto file = folders_.find(series + ".mhd");
    if (!file) return skip_all(scan, "missing_image", series + ".mhd");
    Volume volume;
    try {
      volume = std::make_shared<const MetaImageSlices>(*file);
    } catch (const Error& error) {
      return skip_all(scan, "unreadable_image", error.what());
    }
    if (!volume->header().is_axial()) {
      return skip_all(scan, "other_orientation", file->string() + ": slices that are not axial");
    }
    std::size_t number = 0;
    for (const Spot& spot : scan.nodules) give_spot(series, *file, volume, spot, concat("nodule", ++number));
    number = 0;
    for (const auto& [hash, spot] : scan.others) {
      give_spot(series, *file, volume, spot, concat("other", ++number));
    }
  }

 private:
  using Volume = std::shared_ptr<const MetaImageSlices>;

  void skip_all(const Scan& scan, std::string_view kind, const std::string& what) {
    for (std::size_t i = 0; i < scan.nodules.size() + scan.others.size(); ++i) sink_.skip(kind, what);
  }

  void give_spot(const std::string& series, const fs::path& file, const Volume& scan, const Spot& spot,
                 const std::string& name) {
    const MetaImage& volume = scan->header();
    const Point3 voxel = volume.to_shown(volume.to_voxel(spot.world));
    const double upwards = volume.direction[2][2] < 0 ? -1 : 1;
    const std::array<std::size_t, 3> size = {volume.width, volume.height, volume.depth};
    for (std::size_t i = 0; i < 3; ++i) {
      if (!(voxel[i] > -0.5 && voxel[i] < static_cast<double>(size[i]) - 0.5)) {
        return sink_.skip("outside_image", spot.place);
      }
    }
    const auto middle = static_cast<std::ptrdiff_t>(std::lround(voxel[2]));
    for (std::ptrdiff_t offset = -(slices_ / 2); offset <= slices_ / 2; ++offset) {
      const std::ptrdiff_t z = middle + offset;
      if (z < 0 || z >= static_cast<std::ptrdiff_t>(volume.depth)) {
        sink_.skip("slice_outside_scan", concat(spot.place, ", slice ", z));
        continue;
      }
      DatasetRecord record = describe(series, file, spot, voxel);
      record.key = concat(series, '-', name, "-z", z);
      record.source.options.frame = static_cast<std::size_t>(z);
      record.attributes["slice"] = std::to_string(z);
      record.attributes["slice_offset_mm"] =
          number_text(upwards * static_cast<double>(offset) * volume.spacing[2]);
      record.attributes["pixel_spacing_mm"] = concat(number_text(volume.spacing[0]));
      if (region_mm_ > 0) record.source.region = region_around(voxel, volume);
      if (lungs_) {
        record.load = [scan, source = record.source, lungs = *lungs_] {
          return lungs_in(*scan, source, lungs);
        };
      } else if (scan->is_kept_whole()) {
        record.load = [scan, source = record.source] { return view(*scan, source); };
      }
      sink_.add(std::move(record));
    }
  }

  /// As load_source(), from a scan that was unfolded for other slices already.
  static Image view(const MetaImageSlices& scan, const ImageSource& source) {
    const Image slice = apply_window(scan.view(source.options.frame), *source.options.window);
    return source.region ? cut_out_padded(slice, *source.region) : slice;
  }

  /// Paper 003's input; nothing where whole slices or squares are asked for.
  static std::optional<LungInputOptions> lungs_of(const Parameters& options, const Window& window) {
    const std::string& image = std::get<std::string>(options.at("image"));
    if (image == "plain") {
      refuse_unused(options, lung_option_specs(), image);
      return std::nullopt;
    }
    if (image != "lungs") {
      detail::fail(ErrorCode::invalid_argument, "image must be plain or lungs, got '", image, "'");
    }
    LungInputOptions lungs;
    take_lung_options(options, lungs.lung);
    lungs.window = window;
    lungs.validate();
    return lungs;
  }

  /// The lungs of a slice, then the square.
  static Image lungs_in(const MetaImageSlices& scan, const ImageSource& source, LungInputOptions lungs) {
    const Image stored = scan.view(source.options.frame);
    Image slice(stored.width(), stored.height(), PixelUnit::hounsfield);
    std::copy(stored.pixels().begin(), stored.pixels().end(), slice.pixels().begin());
    lungs.lung.pixel_spacing_mm = scan.header().spacing[0];
    const Image input = lung_input(slice, lungs);
    return source.region ? cut_out_padded(input, *source.region) : input;
  }

  DatasetRecord describe(const std::string& series, const fs::path& file, const Spot& spot,
                         const Point3& voxel) const {
    DatasetRecord record;
    const auto patient = patients_.find(series);
    record.patient = patient == patients_.end() ? series : patient->second;
    record.series = series;
    record.modality = "CT";
    record.labels = {spot.diameter_mm > 0 ? "nodule" : "non-nodule"};
    record.source.file = file;
    record.source.options.window = window_;
    if (spot.diameter_mm > 0) record.attributes["diameter_mm"] = number_text(spot.diameter_mm);
    record.attributes["voxel_x"] = number_text(voxel[0]);
    record.attributes["voxel_y"] = number_text(voxel[1]);
    record.attributes["voxel_z"] = number_text(voxel[2]);
    const std::string folder = file.parent_path().filename().string();
    if (folder.starts_with("subset")) record.attributes["subset"] = folder.substr(6);
    return record;
  }

  PixelRegion region_around(const Point3& voxel, const MetaImage& volume) const {
    const auto side = [&](std::size_t axis) {
      return static_cast<std::size_t>(std::clamp(std::round(region_mm_ / volume.spacing[axis]), 1.0, 4096.0));
    };
    const auto corner = [&](std::size_t axis, std::size_t pixels) {
      return static_cast<std::ptrdiff_t>(std::lround(voxel[axis])) - static_cast<std::ptrdiff_t>(pixels / 2);
    };
    const std::size_t width = side(0);
    const std::size_t height = side(1);
    return {corner(0, width), corner(1, height), width, height};
  }

  RecordSink& sink_;
  std::map<std::string, std::string> patients_;
  std::ptrdiff_t slices_;
  double region_mm_;
  Window window_;
  std::optional<LungInputOptions> lungs_;
  ImageFolders folders_;
};

fs::path need_candidates(const fs::path& root) {
  try {
    return need_file(root, {"candidates_V2.csv", "candidates.csv"});
  } catch (const Error& error) {
    detail::fail(error.code(), error.what(), "; with negatives=0 none is needed");
  }
}

void read(const fs::path& root, const Parameters& options, RecordSink& sink) {
  Scans scans;
  read_nodules(need_file(root, {"annotations.csv"}), scans);
  const auto wanted = static_cast<std::size_t>(std::get<std::int64_t>(options.at("negatives")));
  if (wanted > 0) read_others(need_candidates(root), wanted, scans);
  const auto slices = static_cast<std::size_t>(std::get<std::int64_t>(options.at("slices")));
  if (slices % 2 == 0) {
    detail::fail(ErrorCode::invalid_argument,
                 "slices must be odd, with the middle one through the nodule, got ", slices);
  }
  Giver giver(root, options, sink);
  std::size_t spots = 0;
  for (const auto& [series, scan] : scans) spots += scan.nodules.size() + scan.others.size();
  sink.expect(spots * slices);
  for (const auto& [series, scan] : scans) giver.give(series, scan);
}

}  // namespace

DatasetType luna16_dataset() {
  DatasetType type;
  type.name = "luna16";
  type.description =
      "LUNA16: annotations.csv, candidates_V2.csv or candidates.csv, and the scans in subset0/ to subset9/; "
      "LIDC-IDRI_MetaData.csv, which names the patients, where it is there";
  type.options = {
      {"slices", std::int64_t{3}, 1, 15, "slices through each nodule, an odd number"},
      {"region_mm", 50.0, 0, 1000, "side of the square around the nodule; 0: the whole slice"},
      {"negatives", std::int64_t{2}, 0, 1000, "candidates of each scan that are no nodules, drawn by a hash"},
      {"window_center", -300.0, -32768, 32767, "HU"},
      {"window_width", 1800.0, 1, 65536, "HU"},
      {"image", std::string("plain"), 0, 0,
       "plain, or lungs: everything else is black, as the input of paper 003; then the square is cut out"}};
  const auto lungs = lung_option_specs();
  type.options.insert(type.options.end(), lungs.begin(), lungs.end());
  type.attributes = {"diameter_mm", "voxel_x",         "voxel_y",          "voxel_z",
                     "slice",       "slice_offset_mm", "pixel_spacing_mm", "subset"};
  type.bits = 16;
  type.read = read;
  return type;
}

}  // namespace medretrieval::imaging::datasets
