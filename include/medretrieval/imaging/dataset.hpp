/// \file
/// Published data sets in the form in which their publishers give them, and the open list of their readers.
///
/// To add one, write a source file in src/imaging/datasets that defines a DatasetType, its test, and one line
/// in src/imaging/dataset_registry.cpp (or call register_dataset_type() from an application).
/// medretrieval/imaging/import.hpp turns what a reader finds into images and a manifest.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <medretrieval/imaging/image.hpp>
#include <medretrieval/imaging/load.hpp>
#include <medretrieval/item.hpp>
#include <medretrieval/parameters.hpp>

namespace medretrieval::imaging {

/// A rectangle of pixels. It may reach over the edge of its image; what lies outside is black.
struct PixelRegion {
  std::ptrdiff_t x = 0;  ///< of its left column
  std::ptrdiff_t y = 0;  ///< of its upper row
  std::size_t width = 0;
  std::size_t height = 0;
};

/// Where the pixels of a record come from.
struct ImageSource {
  std::filesystem::path file;         ///< with the root in front
  LoadOptions options = {};           ///< frame or slice, and the grey window in the file's own unit
  std::optional<PixelRegion> region;  ///< none: the whole image
};

/// The image of a source in display units.
/// \throws Error as load_image, and limit_exceeded for a region with a side of 0 or above kMaxImageSide.
Image load_source(const ImageSource& source);

/// The part that the publisher gave a patient to.
enum class OfficialSplit { none, train, validation, test };

/// One image of a data set and what is known of it. Empty text means unknown.
struct DatasetRecord {
  /// Names the image within its data set, unique and the same in every run. It becomes the name of the file
  /// that is written, or its digest does.
  std::string key;
  ImageSource source;
  /// Makes the image (display units) when it takes more than loading `source`; empty: load_source(source). It
  /// is called at most once, from any thread, and not at all when an earlier run has written the image; then it
  /// is destroyed, with all that it holds.
  std::function<Image()> load;

  std::string patient;  ///< as published; the import replaces it by a digest when there is a key
  std::string study;    ///< likewise
  std::string series;   ///< likewise
  std::string modality;
  std::optional<Date> date;
  std::vector<std::string> labels;  ///< without '|'
  OfficialSplit official = OfficialSplit::none;
  /// By the names in DatasetType::attributes; absent ones are left blank. Never a name, a birth date, an
  /// accession number, an institution or free text.
  std::map<std::string, std::string> attributes;
};

/// Takes what a reader finds. Its functions may throw (when the import is cancelled, say): a reader lets that
/// pass.
class RecordSink {
 public:
  virtual ~RecordSink() = default;
  /// How many threads a reader may use to look into files. Records are given by one thread, in order.
  virtual int threads() const { return 1; }
  /// How many records there will be at most, for progress; may be called again when more is known.
  virtual void expect(std::size_t records) = 0;
  virtual void add(DatasetRecord record) = 0;
  /// Something that was left out. `kind` is a short name in snake_case ("missing_image"), counted in the
  /// report; `what` names file and line or the like.
  virtual void skip(std::string_view kind, const std::string& what) = 0;
  /// Something worth knowing about a record that is not left out ("impossible_age"), counted likewise.
  virtual void note(std::string_view kind, const std::string& what) {
    (void)kind;
    (void)what;
  }
};

/// A registered kind of data set.
struct DatasetType {
  std::string name;                 ///< as on the command line, for example "chestx-ray14"
  std::string description;          ///< one line, with the files that are read
  std::vector<OptionSpec> options;  ///< their schema
  /// Options that say where else something is written. The images do not depend on them, so an import goes on
  /// with others.
  std::vector<std::string> output_options = {};
  std::vector<std::string> attributes;  ///< further columns of the manifest, in this order
  bool has_official_split = false;
  /// Files below the root without which its official split is not known.
  std::vector<std::string> official_files;
  /// Its ids can be those of a hospital: the import then wants a key, or to be told that they may stay.
  bool has_identities = false;
  int bits = 8;  ///< of the images written, 8 or 16, unless asked otherwise
  /// Raised when the same data set and options give other images than before: an import that was begun with
  /// another number is not gone on with.
  int version = 1;
  /// Walks the data set under `root` with complete, checked options and gives its records one at a time, in
  /// an order that depends on the files alone. Images are not opened for their pixels here. An import calls it
  /// twice, to look through the records first.
  /// \throws Error not_found (a table that must be there, or a column: the message lists those that are),
  ///        corrupt (with file and line, expected and got), limit_exceeded, unsupported, io.
  std::function<void(const std::filesystem::path& root, const Parameters& options, RecordSink& sink)> read;
};

/// The registered types, built-in ones first.
std::vector<std::string> dataset_type_names();
/// \throws Error (not_found) that lists the registered types.
const DatasetType& dataset_type(std::string_view name);
/// Adds a type of the application's own. Thread-safe. The type stays until the program ends.
/// \throws Error already_exists (the name is taken), invalid_argument (no name or read function, bits that
///        are neither 8 nor 16, an attribute named twice or like a column of every manifest).
void register_dataset_type(DatasetType type);

/// Reads a data set with these options; those left out take the defaults of the type.
/// \throws Error not_found (no such type, no such folder), invalid_argument (options), and as
///        DatasetType::read.
void read_dataset(std::string_view name, const std::filesystem::path& root, const Parameters& options,
                  RecordSink& sink);

}  // namespace medretrieval::imaging
