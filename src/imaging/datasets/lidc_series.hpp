// LIDC-IDRI as it lies in folders: CT series, and the annotation file of each.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <medretrieval/imaging/dataset.hpp>
#include <medretrieval/imaging/lidc.hpp>
#include <optional>
#include <string>
#include <vector>

namespace medretrieval::imaging::datasets {

/// One slice of a series and where its file lies: some 200 bytes.
struct SeriesSlice : LidcSlice {
  std::uint32_t folder = 0;  ///< index into the folders that were read
  std::string file;
  std::optional<double> along;  ///< mm, its place on the normal of the slices, which points upwards
};

/// What the slices of a series have in common.
struct SliceFrame {
  std::string patient, study;
  double pixel_spacing_mm = 0;  ///< above 0, the same in both directions
  std::size_t columns = 0;
  std::size_t rows = 0;
  std::vector<double> orientation;  ///< six direction cosines, nearly axial
};

/// The slices of one CT series, wherever they lie.
struct CtSeries {
  std::string uid;
  SliceFrame frame;
  std::optional<Date> date;
  std::vector<SeriesSlice> slices;  ///< upwards, those without a place first; no SOP instance UID twice
};

/// Which annotation file belongs to a CT series. Those that cannot be read, that are of radiographs, or that
/// are of a series that has one already, are skipped.
class AnnotationFiles {
 public:
  void add(const std::filesystem::path& file, RecordSink& sink);
  /// None: the series has no annotations.
  std::optional<std::filesystem::path> of_series(const std::string& uid) const;
  std::size_t size() const { return by_series_.size(); }
  /// Contoured nodules of all readers, and outlines of them, in all files.
  std::size_t marks() const { return marks_; }
  std::size_t outlines() const { return outlines_; }

 private:
  void count(const LidcAnnotations& annotations);

  std::map<std::string, std::filesystem::path> by_series_;
  std::size_t marks_ = 0;
  std::size_t outlines_ = 0;
};

/// The folders of a data set and the annotation files in them.
struct LidcFolders {
  std::vector<std::filesystem::path> folders;
  AnnotationFiles annotations;
};

/// Looks through `root`, as walk_folders().
LidcFolders find_annotations(const std::filesystem::path& root, RecordSink& sink);

/// The CT series with annotations among the files of all folders, by UID. A series is the largest group of its
/// slices that agree in patient, study, size, spacing and orientation (the first of equally large ones).
/// Skipped are the others, slices that are far from axial or cannot be used, patients of other names than
/// LIDC-IDRI's, the second of two slices with one SOP instance UID, and series without annotations.
std::vector<CtSeries> read_ct_series(const LidcFolders& found, RecordSink& sink);

}  // namespace medretrieval::imaging::datasets
