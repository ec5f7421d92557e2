// A look through all records of a data set before anything is written.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <medretrieval/imaging/import.hpp>
#include <string>
#include <unordered_set>

#include "imaging/import_groups.hpp"
#include "imaging/reporter.hpp"

namespace medretrieval::imaging {

using KeySet = std::unordered_set<Fingerprint, FingerprintHash>;

/// Counts by kind with the first few examples.
void count_kind(std::map<std::string, SkippedCount>& counts, std::string_view kind, const std::string& what);

class Survey final : public RecordSink {
 public:
  Survey(const DatasetType& type, SplitRule split, int threads, const Progress& progress)
      : type_(type), split_(split), threads_(threads), reporter_(progress, "survey", 0) {}

  int threads() const override { return threads_; }
  void expect(std::size_t records) override { reporter_.expect(records); }
  void add(DatasetRecord record) override;
  void skip(std::string_view kind, const std::string& what) override;

  /// \throws Error not_found (no record that could become an image: the message says what was left out),
  ///        incompatible (a patient in two parts of the official split, unless that is allowed).
  void require_usable(const std::filesystem::path& root, bool allow_leak) const;

  const PatientGroups& groups() const { return groups_; }
  const KeySet& repeated_keys() const { return repeated_keys_; }
  bool has_test_part() const { return has_test_part_; }
  /// What only the survey itself needs is given back.
  void forget_keys() { keys_ = {}; }

 private:
  const DatasetType& type_;
  SplitRule split_;
  int threads_;
  Reporter reporter_;
  PatientGroups groups_;
  KeySet keys_;
  KeySet repeated_keys_;
  std::size_t usable_ = 0;
  bool has_test_part_ = false;
  std::map<std::string, SkippedCount> skipped_;
};

/// "2 not_dicom (a.txt), 1 no_pixels (b.dcm)"; "nothing" for none.
std::string list_of_counts(const std::map<std::string, SkippedCount>& counts);

}  // namespace medretrieval::imaging
