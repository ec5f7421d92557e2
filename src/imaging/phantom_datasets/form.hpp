// What the forms of published data sets share: drawing by patient, and tables that are whole or not there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <map>
#include <medretrieval/imaging/phantom.hpp>
#include <medretrieval/imaging/phantom_dataset.hpp>
#include <span>
#include <string>
#include <string_view>

namespace medretrieval::imaging::phantom {

/// A published form that phantoms are written in.
struct Form {
  std::string_view name;
  std::string_view description;
  /// With checked options.
  PhantomDatasetCounts (*write)(const std::filesystem::path& folder, const PhantomDatasetOptions& options,
                                const Progress& progress) = nullptr;
  bool has_scans = false;  ///< of slices; else of single images
};

/// Text of each table of a form, by its path below the folder.
using Tables = std::map<std::string, std::string>;

/// One patient's rows, and how many images were written with them.
struct PatientRows {
  Tables rows;
  std::size_t images = 0;
};

/// Begins an empty folder, calls write_patient(patient) for every patient from many threads, and writes the
/// tables: `heads`, then the rows in the order of the patients.
/// \throws Error as write_phantom_dataset.
PhantomDatasetCounts write_form(const std::filesystem::path& folder, const PhantomDatasetOptions& options,
                                const Progress& progress, const Tables& heads,
                                const std::function<PatientRows(std::size_t)>& write_patient);

/// The drawing of a form. `tag` gives each form a stream of its own: the same seed draws others for another.
PhantomOptions drawing_of(const PhantomDatasetOptions& options, PhantomKind kind, std::uint64_t tag);

/// How many images a patient has: 1 to images_per_patient.
std::size_t draw_image_count(const PhantomOptions& drawing, std::size_t patient);

/// A line of a table, with its end; fields are quoted where they must be.
std::string table_line(std::initializer_list<std::string> fields);

/// Numbers in one field, "1, 2.5", six digits each, as DeepLesion lists them.
std::string number_list(std::span<const double> numbers);

/// Up to ten significant digits, in any locale.
std::string long_number(double value);

/// The folder that `file` lies in is made.
/// \throws Error (io).
const std::filesystem::path& with_folder(const std::filesystem::path& file);

}  // namespace medretrieval::imaging::phantom
