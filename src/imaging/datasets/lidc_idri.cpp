// LIDC-IDRI (Armato et al., 2011): CT series with the readings of up to four radiologists. An image is a nodule
// in one slice, prepared as papers 001 or 003 do it.
#include <algorithm>
#include <map>
#include <medretrieval/imaging/dataset.hpp>
#include <medretrieval/imaging/dicom.hpp>
#include <medretrieval/imaging/nodule_region.hpp>
#include <memory>

#include "base/concat.hpp"
#include "imaging/datasets/dataset_files.hpp"
#include "imaging/datasets/lidc_nodules.hpp"
#include "imaging/datasets/lidc_options.hpp"
#include "imaging/datasets/lidc_series.hpp"
#include "imaging/file_bytes.hpp"

namespace medretrieval::imaging::datasets {

using detail::concat;
using detail::fail;
namespace fs = std::filesystem;

namespace {

/// Makes the image of one record; keeps what it needs and nothing of the series.
struct ImageMaker {
  std::shared_ptr<const LidcOptions> options;
  fs::path file;
  LidcContour outline;
  double pixel_spacing_mm = 0;
  std::size_t number = 0;  ///< of the record, for the name of its sheet

  Image operator()() const {
    const Image slice = DicomFile(file).modality_image();
    Explanation steps;
    Explanation* wanted = options->explain.empty() ? nullptr : &steps;
    Image image = make(slice, wanted);
    if (wanted != nullptr) write_png(contact_sheet(steps), options->explain / (padded(number, 6) + ".png"));
    return image;
  }

 private:
  Image make(const Image& slice, Explanation* steps) const {
    if (options->form == ImageForm::lungs) {
      LungInputOptions lungs = options->lungs;
      lungs.lung.pixel_spacing_mm = pixel_spacing_mm;
      return lung_input(slice, lungs, steps);
    }
    NoduleRegionOptions region = options->region;
    region.lung.pixel_spacing_mm = pixel_spacing_mm;
    return nodule_region(slice, outline, region, steps);
  }
};

std::vector<std::string> label_of(const LidcNoduleGroup& group) {
  switch (malignancy_class(group.malignancy)) {
    case LidcMalignancy::benign:
      return {"benign"};
    case LidcMalignancy::malignant:
      return {"malignant"};
    case LidcMalignancy::undecided:
      return {"undecided"};
    default:
      return {};
  }
}

constexpr std::pair<const char*, int LidcCharacteristics::*> kRatings[] = {
    {"subtlety", &LidcCharacteristics::subtlety},
    {"internal_structure", &LidcCharacteristics::internal_structure},
    {"calcification", &LidcCharacteristics::calcification},
    {"sphericity", &LidcCharacteristics::sphericity},
    {"margin", &LidcCharacteristics::margin},
    {"lobulation", &LidcCharacteristics::lobulation},
    {"spiculation", &LidcCharacteristics::spiculation},
    {"texture", &LidcCharacteristics::texture},
};

/// Gives the records of one series after the other.
class Giver {
 public:
  Giver(LidcOptions options, const LidcFolders& found, RecordSink& sink)
      : options_(std::make_shared<const LidcOptions>(std::move(options))),
        folders_(found.folders),
        sink_(sink) {}

  void give(const CtSeries& series, const fs::path& file) {
    LidcAnnotations annotations;
    std::vector<LidcNoduleGroup> groups;
    try {
      annotations = read_lidc_annotations(file);
      groups = group_lidc_nodules(annotations, options_->grouping);
    } catch (const Error& error) {
      return sink_.skip("unusable_annotation", concat(file.string(), ": ", error.what()));
    }
    for (std::size_t i = 0; i < groups.size(); ++i) {
      const std::string place = concat(file.string(), ", nodule ", i + 1);
      if (options_->drop_undecided && malignancy_class(groups[i].malignancy) == LidcMalignancy::undecided) {
        sink_.skip("undecided_nodule", place);
      } else {
        give_nodule(series, annotations, groups[i], i + 1, place);
      }
    }
    for (auto& [slice, record] : whole_slices_) give_record(series, slice, std::move(record));
    whole_slices_.clear();
    count_points(annotations, file);
  }

 private:
  void give_nodule(const CtSeries& series, const LidcAnnotations& annotations, const LidcNoduleGroup& group,
                   std::size_t number, const std::string& place) {
    FoundNodule found;
    try {
      found = find_nodule(annotations, group, series);
    } catch (const Error& error) {
      return sink_.skip("outline_outside_of_slice", place + ": " + error.what());
    }
    if (found.missing > 0) {
      sink_.note("outlines_without_slice", concat(place, ": ", found.missing, " outlines"));
    }
    if (found.slices.empty()) return;
    DatasetRecord record = describe(series, annotations, group, number);
    std::size_t longest = 0;
    for (const NoduleSlice& slice : found.slices) longest = std::max(longest, longest_side(slice.outline));
    record.attributes["outline_box_mm"] =
        number_text(static_cast<double>(longest) * series.frame.pixel_spacing_mm);
    for (NoduleSlice& slice : choose_slices(found.slices, options_->slices, series.slices.size())) {
      if (options_->form == ImageForm::lungs) {
        take_whole_slice(record, series, slice.slice);
      } else {
        DatasetRecord image = record;
        image.load = maker(series, slice.slice, std::move(slice.outline));
        give_record(series, slice.slice, std::move(image));
      }
    }
  }

  static DatasetRecord describe(const CtSeries& series, const LidcAnnotations& annotations,
                                const LidcNoduleGroup& group, std::size_t number) {
    DatasetRecord record;
    record.key = concat(series.uid, "-nodule", padded(static_cast<std::int64_t>(number), 2));
    record.patient = series.frame.patient;
    record.study = series.frame.study;
    record.series = series.uid;
    record.modality = "CT";
    record.date = series.date;
    record.labels = label_of(group);
    record.attributes["nodule"] = std::to_string(number);
    record.attributes["readers"] = std::to_string(group.readers);
    if (group.malignancy) record.attributes["malignancy"] = number_text(*group.malignancy);
    for (const auto& [name, rating] : kRatings) {
      const auto median = median_lidc_rating(annotations, group.marks, rating);
      if (median) record.attributes[name] = number_text(*median);
    }
    record.attributes["pixel_spacing_mm"] = number_text(series.frame.pixel_spacing_mm);
    return record;
  }

  ImageMaker maker(const CtSeries& series, std::size_t slice, LidcContour outline) {
    return {options_, file_of(series, slice), std::move(outline), series.frame.pixel_spacing_mm, ++records_};
  }

  fs::path file_of(const CtSeries& series, std::size_t slice) const {
    return folders_[series.slices[slice].folder] / series.slices[slice].file;
  }

  void give_record(const CtSeries& series, std::size_t slice, DatasetRecord record) {
    const SeriesSlice& source = series.slices[slice];
    record.key += "-" + source.sop_uid;
    record.source.file = file_of(series, slice);
    if (source.z) record.attributes["z_mm"] = number_text(*source.z);
    sink_.add(std::move(record));
  }

  /// A whole slice is one image, whatever it holds: it gets the labels of all its nodules, and what its nodules
  /// do not agree in becomes blank.
  void take_whole_slice(const DatasetRecord& nodule, const CtSeries& series, std::size_t slice) {
    const auto [entry, added] = whole_slices_.try_emplace(slice, nodule);
    DatasetRecord& record = entry->second;
    if (added) {
      record.key = series.uid;
      record.load = maker(series, slice, {});
      return;
    }
    for (const std::string& label : nodule.labels) {
      if (std::find(record.labels.begin(), record.labels.end(), label) == record.labels.end()) {
        record.labels.push_back(label);
      }
    }
    for (auto& [name, value] : record.attributes) {
      const auto other = nodule.attributes.find(name);
      if (name == "nodule") {
        append_to_list(value, " ", nodule.attributes.at(name));
      } else if (other == nodule.attributes.end() || other->second != value) {
        value.clear();
      }
    }
  }

  /// What has no outline makes no image.
  void count_points(const LidcAnnotations& annotations, const fs::path& file) {
    for (const LidcReading& reading : annotations.readings) {
      for (const LidcNodule& nodule : reading.nodules) {
        if (nodule.is_contoured()) continue;
        sink_.skip("nodule_below_3_mm", concat(file.string(), " line ", nodule.contours.front().line));
      }
      for (const LidcNonNodule& other : reading.non_nodules) {
        sink_.skip("non_nodule", concat(file.string(), " line ", other.place.line));
      }
    }
  }

  std::shared_ptr<const LidcOptions> options_;
  const std::vector<fs::path>& folders_;
  RecordSink& sink_;
  std::size_t records_ = 0;
  std::map<std::size_t, DatasetRecord> whole_slices_;  // of the series, where an image is a whole slice
};

/// If every reader's nodule were one of its own.
std::size_t most_images(const AnnotationFiles& annotations, SliceChoice slices) {
  if (slices == SliceChoice::all) return annotations.outlines();
  return annotations.marks() * (slices == SliceChoice::three ? 3 : 1);
}

void read(const fs::path& root, const Parameters& given, RecordSink& sink) {
  const LidcOptions options = read_lidc_options(given);
  make_folder(options.explain);
  const LidcFolders found = find_annotations(root, sink);
  if (found.annotations.size() == 0) {
    fail(ErrorCode::not_found, "no annotation file of a CT series (LidcReadMessage) in or below ",
         root.string());
  }
  sink.expect(most_images(found.annotations, options.slices));
  Giver giver(options, found, sink);
  for (const CtSeries& series : read_ct_series(found, sink)) {
    giver.give(series, *found.annotations.of_series(series.uid));
  }
}

}  // namespace

DatasetType lidc_idri_dataset() {
  DatasetType type;
  type.name = "lidc-idri";
  type.description = "LIDC-IDRI: CT series in DICOM and the radiologists' XML, in folders of any layout";
  type.options = lidc_option_specs();
  type.output_options = {"explain"};
  type.attributes = {
      "nodule",        "readers",         "malignancy", "outline_box_mm", "subtlety",    "internal_structure",
      "calcification", "sphericity",      "margin",     "lobulation",     "spiculation", "texture",
      "z_mm",          "pixel_spacing_mm"};
  type.read = read;
  return type;
}

}  // namespace medretrieval::imaging::datasets
