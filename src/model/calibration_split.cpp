#include "model/calibration_split.hpp"

#include <xxhash.h>

#include <algorithm>
#include <iterator>
#include <map>

#include "base/concat.hpp"

namespace medretrieval::detail {

namespace {

constexpr std::size_t kFewestRows = 10;

using Rows = std::vector<std::size_t>;

/// Rows by patient, in the order of a hash of the name.
std::map<std::pair<std::uint64_t, std::string>, Rows> group_by_patient(
    const LabelSets& labels, std::span<const std::string> patients) {
  std::map<std::pair<std::uint64_t, std::string>, Rows> groups;
  for (std::size_t r = 0; r < labels.rows(); ++r) {
    if (labels.row(r).empty()) continue;
    const std::string name =
        patients.empty() || patients[r].empty() ? "\n row " + std::to_string(r) : patients[r];
    groups[{XXH3_64bits(name.data(), name.size()), name}].push_back(r);
  }
  return groups;
}

std::map<ClassId, std::size_t> class_counts(const LabelSets& labels, const Rows& rows) {
  std::map<ClassId, std::size_t> counts;
  for (const auto row : rows) {
    for (const auto label : labels.row(row)) ++counts[label];
  }
  return counts;
}

}  // namespace

CalibrationSplit split_by_patient(const LabelSets& labels, std::span<const std::string> patients) {
  const auto groups = group_by_patient(labels, patients);
  CalibrationSplit split;
  for (const auto& [name, rows] : groups) split.fit.insert(split.fit.end(), rows.begin(), rows.end());
  const std::size_t labelled = split.fit.size();
  if (labelled < kFewestRows || groups.size() < 2) {
    fail(ErrorCode::invalid_argument, "class gate: expected at least ", kFewestRows,
         " labelled rows of at least two patients, got ", labelled, " of ", groups.size());
  }
  auto left = class_counts(labels, split.fit);
  const auto can_spare = [&](const Rows& rows) {
    const auto own = class_counts(labels, rows);
    return std::all_of(own.begin(), own.end(),
                       [&](const auto& each) { return left[each.first] > each.second; });
  };
  const auto hold_out = [&](const Rows& rows) {
    for (const auto& [label, count] : class_counts(labels, rows)) left[label] -= count;
    split.held_out.insert(split.held_out.end(), rows.begin(), rows.end());
  };
  const std::size_t wanted = (labelled + 4) / 5;
  for (const auto& [name, rows] : groups) {
    if (split.held_out.size() + rows.size() <= wanted && can_spare(rows)) hold_out(rows);
  }
  if (split.held_out.empty()) {  // every patient is too large: the smallest
    const Rows* smallest = nullptr;
    for (const auto& [name, rows] : groups) {
      if ((smallest == nullptr || rows.size() < smallest->size()) && can_spare(rows)) smallest = &rows;
    }
    if (smallest == nullptr) {
      fail(ErrorCode::invalid_argument,
           "class gate: expected a patient whose classes other patients have too, to calibrate with; got "
           "none in ",
           groups.size(), " patients");
    }
    hold_out(*smallest);
  }
  std::sort(split.held_out.begin(), split.held_out.end());
  std::sort(split.fit.begin(), split.fit.end());
  Rows fit;
  std::set_difference(split.fit.begin(), split.fit.end(), split.held_out.begin(), split.held_out.end(),
                      std::back_inserter(fit));
  split.fit = std::move(fit);
  return split;
}

}  // namespace medretrieval::detail
