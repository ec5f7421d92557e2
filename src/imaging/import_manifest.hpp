// The manifest that an import writes: the form that read_manifest() takes.
#pragma once

#include <array>
#include <filesystem>
#include <fstream>
#include <medretrieval/imaging/dataset.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace medretrieval::imaging {

/// The columns of every manifest, before the attributes of the data set.
inline constexpr std::array<std::string_view, 8> kManifestColumns = {
    "path", "patient_id", "labels", "split", "study", "series", "modality", "date"};

/// Refuses what a manifest cannot hold: an empty key, a label that is empty or has a '|', an attribute that
/// the type does not name, text that is not UTF-8 or longer than an item's may be.
/// \throws Error (invalid_argument) naming the record.
void check_record(const DatasetRecord& record, const DatasetType& type);

/// Writes rows to a neighbour of the file and renames it at the end, so that there is a whole manifest or
/// none.
class ManifestWriter {
 public:
  /// \throws Error (io).
  ManifestWriter(std::filesystem::path file, const std::vector<std::string>& attributes);
  ~ManifestWriter();
  ManifestWriter(const ManifestWriter&) = delete;
  ManifestWriter& operator=(const ManifestWriter&) = delete;

  /// One image; `path` as it lies below the manifest's folder.
  /// \throws Error (io).
  void add(const std::string& path, std::string_view split, const DatasetRecord& record);
  /// The manifest is on the disk when this returns.
  /// \throws Error (io).
  void finish();

 private:
  void write_line(const std::string& line);

  std::filesystem::path file_;
  std::filesystem::path unfinished_;
  const std::vector<std::string>& attributes_;
  std::ofstream stream_;
};

}  // namespace medretrieval::imaging
