// Whose an image is: what all records of a data set together tell.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <medretrieval/fingerprint.hpp>
#include <medretrieval/imaging/dataset.hpp>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace medretrieval::imaging {

struct FingerprintHash {
  std::size_t operator()(const Fingerprint& key) const noexcept { return static_cast<std::size_t>(key.low); }
};

/// A fingerprint of a text.
Fingerprint fingerprint_of(std::string_view text);

/// Whose an image is.
struct Subject {
  std::string patient;  ///< empty: no record tells
  /// What no split may part: the patient, else the studies and series that hang together, else the image.
  Fingerprint unit;
  bool of_two_patients = false;  ///< its study or series is known under two patients
};

/// Joins studies and series that have a record in common, and gives them the patient that any of their records
/// names. Memory grows with the studies and series.
class PatientGroups {
 public:
  /// `part`: a bit for the part of an official split that the record is in; 0: none.
  void add(const DatasetRecord& record, std::uint8_t part = 0);

  /// Whose `record` is, after all records were added.
  Subject of(const DatasetRecord& record) const;

  /// Patients in two parts of the official split, and the id of one of them.
  struct Leak {
    std::size_t patients = 0;
    std::string example;
  };
  Leak leak() const;

 private:
  struct Group {
    std::size_t parent;  ///< itself, if it is a root
    std::size_t size = 1;
    bool is_series;    ///< no study belongs to it
    Fingerprint name;  ///< the least of its studies', else of its series'
    std::string patient = {};
    bool two_patients = false;
    std::uint8_t parts = 0;
  };

  std::size_t group_of(const Fingerprint& name, bool is_series);
  std::size_t root(std::size_t group) const;
  std::size_t join(std::size_t first, std::size_t second);

  std::unordered_map<Fingerprint, std::size_t, FingerprintHash> index_;
  std::vector<Group> groups_;
  std::map<std::string, std::uint8_t> alone_;  ///< parts of patients without study and series
};

}  // namespace medretrieval::imaging
