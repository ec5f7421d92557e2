// LIDC-IDRI as it lies in folders: CT series, and the annotation file of each.
#pragma once

#include <filesystem>
#include <map>
#include <medretrieval/imaging/dataset.hpp>
#include <medretrieval/imaging/lidc.hpp>
#include <optional>
#include <string>
#include <vector>

namespace medretrieval::imaging::datasets {

/// One slice of a series and the name of its file: some 200 bytes.
struct SeriesSlice : LidcSlice {
  std::string file;
};

/// The slices of one CT series that lie in one folder.
struct CtSeries {
  std::string uid, patient, study;
  std::filesystem::path folder;
  std::optional<Date> date;
  double pixel_spacing_mm = 0;  ///< above 0
  std::size_t columns = 0;
  std::size_t rows = 0;
  std::vector<SeriesSlice> slices;  ///< by z, those without z first
};

/// All folders from `root` downwards in the order of their names. Links to folders are not followed.
std::vector<std::filesystem::path> folders_below(const std::filesystem::path& root);

/// The CT series among the files of a folder, by UID. Slices that cannot be used are skipped: they are not
/// readable, name no series, patient or spacing, or differ from the first of their series.
std::vector<CtSeries> read_ct_series(const std::filesystem::path& folder, RecordSink& sink);

/// Which annotation file belongs to a CT series. Those that cannot be read, that are of radiographs, or that
/// are of a series that has one already, are skipped.
class AnnotationFiles {
 public:
  AnnotationFiles(const std::vector<std::filesystem::path>& folders, RecordSink& sink);
  /// None: the series has no annotations.
  std::optional<std::filesystem::path> of_series(const std::string& uid) const;
  std::size_t size() const { return by_series_.size(); }
  /// Contoured nodules of all readers, and outlines of them, in all files.
  std::size_t marks() const { return marks_; }
  std::size_t outlines() const { return outlines_; }

 private:
  void add(const std::filesystem::path& file, RecordSink& sink);
  void count(const LidcAnnotations& annotations);

  std::map<std::string, std::filesystem::path> by_series_;
  std::size_t marks_ = 0;
  std::size_t outlines_ = 0;
};

}  // namespace medretrieval::imaging::datasets
