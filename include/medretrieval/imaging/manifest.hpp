/// \file
/// The general import: a folder of images and a CSV manifest that says what each of them is.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <medretrieval/error.hpp>

namespace medretrieval::imaging {

/// The largest manifest that is read, in bytes (256 MiB). Checked before anything is allocated.
inline constexpr std::size_t kMaxManifestBytes = std::size_t{1} << 28;

/// Which column means what. The split and patient columns may be missing under these names; a name that the
/// caller chose must be there.
struct ManifestOptions {
  std::string path_column = "path";
  std::string split_column = "split";
  std::string patient_column = "patient_id";
  /// Empty: "labels" when the manifest has it, else "label".
  std::string label_column;
  char label_separator = '|';
};

/// One row: an image file and what is known of it.
struct ManifestRow {
  std::size_t line = 0;             ///< of the manifest, from 1
  std::filesystem::path file;       ///< the folder joined with the path column
  std::string path;                 ///< the path column as written
  std::string split;                ///< "train", "database", "query" or empty when there is no split column
  std::string patient;              ///< empty: unknown
  std::vector<std::string> labels;  ///< in the order written, without repeats and empty parts
  std::vector<std::string> other;  ///< the remaining columns' values, in the order of Manifest::other_columns
};

/// A whole manifest.
struct Manifest {
  std::vector<ManifestRow> rows;
  std::vector<std::string> other_columns;  ///< names of the columns that have no meaning above
  std::string label_column;                ///< the column the labels came from

  /// Indices of the rows of one split, in file order.
  std::vector<std::size_t> rows_of(const std::string& split) const;
};

/// Reads a manifest: RFC 4180 CSV with a header line, UTF-8, an optional byte-order mark, either line end,
/// empty lines skipped, blanks part of their fields. Files are not opened, but paths must stay inside
/// `folder`.
/// \throws Error not_found (no such file; a named column that is not there: the message lists the columns
///        that are), io, limit_exceeded (kMaxManifestBytes), corrupt (not UTF-8, no header line, a row with
///        another number of fields, a stray or unclosed quote: the message gives the line), invalid_argument
///        (a column name that is there twice; an absolute path, one with "..", an empty one; a split that is
///        none of the three: the message gives the line).
Manifest read_manifest(const std::filesystem::path& folder, const std::filesystem::path& csv,
                       const ManifestOptions& options = {});

/// Patients that are in two splits of a manifest.
struct ManifestLeak {
  std::size_t patients = 0;
  std::size_t first_line = 0;   ///< of one of them
  std::size_t second_line = 0;  ///< of the same patient, in another split
};

/// Looks at rows that have a split and a patient; nothing can be said of the others.
ManifestLeak patients_in_two_splits(const Manifest& manifest);

/// \throws Error (incompatible) for a manifest with a patient in two splits: how many there are and two lines
///        of one, not the id.
void refuse_leak(const Manifest& manifest);

}  // namespace medretrieval::imaging
