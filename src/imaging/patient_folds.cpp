#include "imaging/patient_folds.hpp"

#include <algorithm>
#include <map>

#include "base/concat.hpp"
#include "base/random.hpp"

namespace medretrieval::imaging {

namespace {

/// Rows of each patient, in the order of the patients' first rows.
std::vector<std::vector<std::size_t>> rows_by_patient(std::size_t rows,
                                                      std::span<const std::string> patients) {
  std::vector<std::vector<std::size_t>> groups;
  std::map<std::string, std::size_t> places;
  for (std::size_t row = 0; row < rows; ++row) {
    const bool known = !patients.empty() && !patients[row].empty();
    const std::size_t place =
        known ? places.try_emplace(patients[row], groups.size()).first->second : groups.size();
    if (place == groups.size()) groups.emplace_back();
    groups[place].push_back(row);
  }
  return groups;
}

}  // namespace

std::vector<std::size_t> patient_folds(std::span<const ClassId> classes,
                                       std::span<const std::string> patients, std::size_t folds,
                                       std::uint64_t seed) {
  auto groups = rows_by_patient(classes.size(), patients);
  if (groups.size() < 2) {
    detail::fail(ErrorCode::invalid_argument,
                 "cross-validation: expected training rows of at least two patients, got ", groups.size());
  }
  detail::Random random(seed);
  for (std::size_t i = groups.size(); i > 1; --i) std::swap(groups[i - 1], groups[random.below(i)]);
  std::stable_sort(groups.begin(), groups.end(),
                   [&](const auto& a, const auto& b) { return classes[a.front()] < classes[b.front()]; });
  const std::size_t used = std::min(folds, groups.size());
  std::vector<std::size_t> fold_of(classes.size());
  for (std::size_t g = 0; g < groups.size(); ++g) {
    for (const auto row : groups[g]) fold_of[row] = g % used;
  }
  return fold_of;
}

}  // namespace medretrieval::imaging
