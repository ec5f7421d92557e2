/// \file
/// The radiologists' readings of LIDC-IDRI: the XML files, and the nodules that several readers saw.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <medretrieval/error.hpp>

namespace medretrieval::imaging {

/// The largest annotation file that is read, in bytes (16 MiB; those of LIDC-IDRI stay below 4 MiB). Checked
/// before anything is allocated.
inline constexpr std::size_t kMaxLidcBytes = std::size_t{1} << 24;

/// The pixel of a slice, counted from 0: `x` is the column, `y` the row.
struct LidcPoint {
  int x = 0;
  int y = 0;
  bool operator==(const LidcPoint&) const = default;
};

/// One outline in one slice, or the single point that marks a nodule below 3 mm. The outline runs through the
/// first pixels outside of the nodule; its last point is joined to its first.
struct LidcContour {
  std::string sop_uid;  ///< of the slice; empty when only `z` is given
  std::optional<double>
      z;                  ///< of the slice, mm, as in ImagePositionPatient; always given in CT readings that
                          ///< lack sop_uid
  bool inclusion = true;  ///< false: what it encloses is no part of the nodule
  std::vector<LidcPoint> points;  ///< at least one
  std::size_t line = 0;           ///< of the file, from 1
};

/// The readers' ratings of a nodule, 1 to 5 (internal_structure to 4, calcification to 6). 0: not rated, as
/// always for nodules below 3 mm. Confidence, obscuration and reason are rated on radiographs only.
struct LidcCharacteristics {
  int subtlety = 0;
  int internal_structure = 0;
  int calcification = 0;
  int sphericity = 0;
  int margin = 0;
  int lobulation = 0;
  int spiculation = 0;
  int texture = 0;
  int malignancy = 0;
  int confidence = 0;
  int obscuration = 0;
  int reason = 0;
};

/// What one reader drew as one nodule.
struct LidcNodule {
  std::string id;  ///< of the reader's own; other readers may use the same
  LidcCharacteristics characteristics;
  std::vector<LidcContour> contours;  ///< at least one; in the order of the file

  /// True for a nodule of at least 3 mm, which has outlines; false for one that is marked by a point.
  bool is_contoured() const noexcept;
};

/// A place that a reader holds for something else than a nodule.
struct LidcNonNodule {
  std::string id;
  LidcContour place;  ///< one point
};

/// All that one reader marked.
struct LidcReading {
  std::string reader;  ///< anonymous in the published files
  std::vector<LidcNodule> nodules;
  std::vector<LidcNonNodule> non_nodules;
};

/// One annotation file.
struct LidcAnnotations {
  /// Readings of a chest radiograph (root IdriReadMessage), whose points are pixels of that radiograph; else of
  /// a CT series (root LidcReadMessage).
  bool of_radiograph = false;
  std::string series_uid;             ///< of the CT series, also in readings of a radiograph
  std::string radiograph_series_uid;  ///< empty in CT readings
  std::string study_uid;              ///< empty when the file lacks it
  std::vector<LidcReading> readings;
};

/// Reads an annotation file of either root. No entity is expanded and nothing outside of the file is opened.
/// Elements of other names are passed over.
/// \throws Error not_found, io, limit_exceeded (kMaxLidcBytes, elements nested deeper than 16, more than 64
///        readings), unsupported (another root), corrupt (cut, not well-formed or not UTF-8, a document type
///        declaration, a missing element, a value that is no number or out of range; coordinates are 0 to
///        kMaxImageSide - 1); the messages give file and line.
LidcAnnotations read_lidc_annotations(const std::filesystem::path& file);

/// One contoured nodule of one reader.
struct LidcMark {
  std::size_t reading = 0;  ///< index into LidcAnnotations::readings
  std::size_t nodule = 0;   ///< index into LidcReading::nodules
  bool operator==(const LidcMark&) const = default;
};

/// A nodule as all of its readers saw it.
struct LidcNoduleGroup {
  std::vector<LidcMark> marks;       ///< at least one, ascending
  std::size_t readers = 0;           ///< how many readers marked it
  std::optional<double> malignancy;  ///< median of the readers' ratings; none when nobody rated it
};

/// The most contoured nodules and outlines that a file may have when they are compared, and the most pixels
/// that the boxes round the outlines may have together.
inline constexpr std::size_t kMaxLidcMarks = 1000;
inline constexpr std::size_t kMaxLidcOutlines = 20000;
inline constexpr std::size_t kMaxLidcFilledPixels = std::size_t{1} << 24;

/// Which outlines belong to the same nodule.
struct LidcGroupingOptions {
  /// Outlines of two readers are of one nodule when they share more than this part of the smaller volume, 0 to
  /// 1 (exclusive). Outlines run outside of their nodules, so those of two neighbours may share a few pixels.
  double min_overlap = 0.1;

  /// \throws Error (invalid_argument) naming the field, its range and its value.
  void validate() const;
};

/// The median of a rating over the readers of `marks`: each reader has one vote, the highest rating of what
/// that reader has among them; who did not rate has none. None when nobody rated. The marks must be of
/// `annotations`.
std::optional<double> median_lidc_rating(const LidcAnnotations& annotations, std::span<const LidcMark> marks,
                                         int LidcCharacteristics::*rating);

/// Groups the contoured nodules of all readers by the overlap of their volumes: marks that overlap are in one
/// group, also by way of a third mark. Pixels and slices of a series have one size, so shares of volumes are
/// shares of pixels. Slices are the same by SOP instance UID, or by z within 0.01 mm where one of the two
/// contours names no UID. Malignancy is as median_lidc_rating(). Groups are in the order of their first marks. Empty for readings of a radiograph.
/// \throws Error invalid_argument (options), limit_exceeded (kMaxLidcMarks, kMaxLidcOutlines,
///        kMaxLidcFilledPixels).
std::vector<LidcNoduleGroup> group_lidc_nodules(const LidcAnnotations& annotations,
                                                const LidcGroupingOptions& options = {});

/// Median malignancy as papers divide it.
enum class LidcMalignancy { unrated, benign, undecided, malignant };

/// Below 3 benign, above 3 malignant, exactly 3 undecided.
LidcMalignancy malignancy_class(const std::optional<double>& median) noexcept;

/// What a slice must state to be found.
struct LidcSlice {
  std::string sop_uid;
  std::optional<double> z;  ///< mm, third value of ImagePositionPatient
};

/// The index of the slice that `contour` was drawn in: by SOP instance UID, else the nearest in z within
/// `z_tolerance` mm (the first of equally near ones). None when neither fits.
std::optional<std::size_t> find_lidc_slice(const LidcContour& contour, std::span<const LidcSlice> slices,
                                           double z_tolerance = 0.1);

/// Refuses an outline that leaves its slice.
/// \throws Error (corrupt) with the line of the contour and the point.
void require_inside(const LidcContour& contour, std::size_t columns, std::size_t rows);

}  // namespace medretrieval::imaging
