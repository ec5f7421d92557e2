// Which split an image belongs to, and whether that keeps every patient in one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <medretrieval/fingerprint.hpp>
#include <medretrieval/imaging/import.hpp>
#include <string>
#include <string_view>
#include <unordered_map>

namespace medretrieval::imaging {

enum class Split : std::uint8_t { train, database, query };
std::string_view to_string(Split split) noexcept;

/// What a split must not part: the patient, or the nearest that is known of one.
std::string patient_unit(const DatasetRecord& record);

/// Gives records to splits. Immutable.
class SplitChooser {
 public:
  /// \param has_test_part of the official split
  SplitChooser(const ImportOptions& options, bool has_test_part)
      : options_(options), has_test_part_(has_test_part) {}

  Split of(const DatasetRecord& record) const;

 private:
  Split by_patient(const DatasetRecord& record, double train_end, double database_end) const;

  const ImportOptions& options_;
  bool has_test_part_;
};

/// Counts the images and patients of every split, and the patients that are in two.
class SplitTally {
 public:
  void add(const DatasetRecord& record, Split split);

  std::size_t patients() const noexcept { return seen_.size(); }
  std::size_t in_two_splits() const noexcept { return in_two_; }
  const std::string& first_in_two() const noexcept { return first_in_two_; }
  std::map<std::string, SplitCount> counts() const;

 private:
  struct Hash {
    std::size_t operator()(const Fingerprint& key) const noexcept {
      return static_cast<std::size_t>(key.low);
    }
  };
  std::unordered_map<Fingerprint, std::uint8_t, Hash> seen_;  // bit i: in split i
  std::array<SplitCount, 3> counts_;
  std::size_t in_two_ = 0;
  std::string first_in_two_;
};

}  // namespace medretrieval::imaging
