#include "imaging/import_splits.hpp"

#include <bit>
#include <span>

#include "base/concat.hpp"

namespace medretrieval::imaging {

namespace {

Fingerprint hash_of(const std::string& text) {
  return Fingerprint::of(std::as_bytes(std::span(text)));
}

}  // namespace

std::string_view to_string(Split split) noexcept {
  constexpr std::array<std::string_view, 3> kNames = {"train", "database", "query"};
  return kNames[static_cast<std::size_t>(split)];
}

std::string patient_unit(const DatasetRecord& record) {
  if (!record.patient.empty()) return "patient " + record.patient;
  if (!record.study.empty()) return "study " + record.study;
  if (!record.series.empty()) return "series " + record.series;
  return "image " + record.key;
}

Split SplitChooser::by_patient(const DatasetRecord& record, double train_end, double database_end) const {
  const Fingerprint hash = hash_of(detail::concat(options_.seed, ' ', patient_unit(record)));
  const double place = static_cast<double>(hash.high >> 11) * 0x1p-53;  // uniform in [0, 1)
  if (place < train_end) return Split::train;
  return place < database_end ? Split::database : Split::query;
}

Split SplitChooser::of(const DatasetRecord& record) const {
  const double train = options_.train_share;
  const double both = train + options_.database_share;
  if (options_.split == SplitRule::patient) return by_patient(record, train, both);
  switch (record.official) {
    case OfficialSplit::test:
      return Split::query;
    case OfficialSplit::validation:
      return has_test_part_ ? Split::database : Split::query;
    case OfficialSplit::train:
    case OfficialSplit::none:
      break;
  }
  return by_patient(record, both > 0 ? train / both : 1, 1);
}

void SplitTally::add(const DatasetRecord& record, Split split) {
  const auto index = static_cast<std::size_t>(split);
  const auto bit = static_cast<std::uint8_t>(1U << index);
  const std::string unit = patient_unit(record);
  std::uint8_t& parts = seen_[hash_of(unit)];
  if ((parts & bit) == 0) {
    parts = static_cast<std::uint8_t>(parts | bit);
    ++counts_[index].patients;
    if (std::popcount(parts) == 2) {
      ++in_two_;
      if (first_in_two_.empty()) first_in_two_ = unit;
    }
  }
  ++counts_[index].images;
}

std::map<std::string, SplitCount> SplitTally::counts() const {
  std::map<std::string, SplitCount> counts;
  for (const Split split : {Split::train, Split::database, Split::query}) {
    counts[std::string(to_string(split))] = counts_[static_cast<std::size_t>(split)];
  }
  return counts;
}

}  // namespace medretrieval::imaging
