// The manifest: which segments, removals and model make up a generation. JSON, then a line with its hash.
#pragma once

#include <cstdint>
#include <map>
#include <medretrieval/fingerprint.hpp>
#include <medretrieval/gallery.hpp>
#include <medretrieval/item.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace medretrieval::gallery {

struct ManifestSegment {
  std::string file;
  std::uint64_t rows = 0;
  Fingerprint checksum;
};

struct Manifest {
  std::uint64_t generation = 0;
  Fingerprint previous;  ///< hash of the manifest before; zero in the first
  std::string model_file;
  Fingerprint model;
  Fingerprint encoder;  ///< zero without one
  ItemId next_id = 0;
  std::map<std::string, ColumnType> attributes;
  std::vector<ManifestSegment> segments;
  std::optional<TunedSearch> tuned;
  std::string removals_file;  ///< empty: nothing was ever removed
  Fingerprint removals;

  /// The file's text; `hash` receives what its last line says.
  std::string to_text(Fingerprint& hash) const;
  /// \param name stands in messages
  /// \throws Error corrupt, unsupported (a newer format).
  static Manifest parse(std::string_view text, const std::string& name, Fingerprint& hash);
};

}  // namespace medretrieval::gallery
