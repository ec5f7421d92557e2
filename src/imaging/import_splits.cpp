#include "imaging/import_splits.hpp"

#include <bit>

#include "base/concat.hpp"

namespace medretrieval::imaging {

std::string_view to_string(Split split) noexcept {
  constexpr std::array<std::string_view, 3> kNames = {"train", "database", "query"};
  return kNames[static_cast<std::size_t>(split)];
}

Split SplitChooser::drawn(const Fingerprint& unit, double train_end, double database_end) const {
  const std::string text = detail::concat(options_.seed, ' ', unit.to_string());
  const std::uint64_t number =
      digest_ != nullptr ? digest_->number_of("split", text) : fingerprint_of(text).high;
  const double place = static_cast<double>(number >> 11) * 0x1p-53;  // uniform in [0, 1)
  if (place < train_end) return Split::train;
  return place < database_end ? Split::database : Split::query;
}

Split SplitChooser::of(const Fingerprint& unit, OfficialSplit official) const {
  const double train = options_.train_share;
  const double both = train + options_.database_share;
  if (options_.split == SplitRule::patient) return drawn(unit, train, both);
  switch (official) {
    case OfficialSplit::test:
      return Split::query;
    case OfficialSplit::validation:
      return has_test_part_ ? Split::database : Split::query;
    case OfficialSplit::train:
    case OfficialSplit::none:
      break;
  }
  return drawn(unit, both > 0 ? train / both : 1, 1);
}

void SplitTally::add(const Fingerprint& unit, Split split) {
  const auto index = static_cast<std::size_t>(split);
  const auto bit = static_cast<std::uint8_t>(1U << index);
  std::uint8_t& parts = seen_[unit];
  if ((parts & bit) == 0) {
    parts = static_cast<std::uint8_t>(parts | bit);
    ++counts_[index].patients;
    if (std::popcount(parts) == 2) ++in_two_;
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
