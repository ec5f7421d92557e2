// Which split an image belongs to, and whether that keeps every patient in one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <medretrieval/imaging/import.hpp>
#include <string>
#include <string_view>
#include <unordered_map>

#include "imaging/deidentify.hpp"
#include "imaging/import_groups.hpp"

namespace medretrieval::imaging {

enum class Split : std::uint8_t { train, database, query };
std::string_view to_string(Split split) noexcept;

/// Gives units (Subject::unit) to splits. Immutable.
class SplitChooser {
 public:
  /// \param has_test_part of the official split
  /// \param digest makes the draw where there is a key, so that the splits tell nothing of ids without it; may
  ///        be null
  SplitChooser(const ImportOptions& options, bool has_test_part, const IdDigest* digest)
      : options_(options), has_test_part_(has_test_part), digest_(digest) {}

  Split of(const Fingerprint& unit, OfficialSplit official) const;

 private:
  Split drawn(const Fingerprint& unit, double train_end, double database_end) const;

  const ImportOptions& options_;
  bool has_test_part_;
  const IdDigest* digest_;
};

/// Counts the images and units of every split, and the units that are in two.
class SplitTally {
 public:
  void add(const Fingerprint& unit, Split split);

  std::size_t patients() const noexcept { return seen_.size(); }
  std::size_t in_two_splits() const noexcept { return in_two_; }
  std::map<std::string, SplitCount> counts() const;

 private:
  std::unordered_map<Fingerprint, std::uint8_t, FingerprintHash> seen_;  // bit i: in split i
  std::array<SplitCount, 3> counts_;
  std::size_t in_two_ = 0;
};

}  // namespace medretrieval::imaging
