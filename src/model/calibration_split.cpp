#include "model/calibration_split.hpp"

#include <xxhash.h>

#include <algorithm>
#include <map>

#include "base/concat.hpp"

namespace medretrieval::detail {

namespace {
constexpr std::size_t kFewestRows = 10;
}

CalibrationSplit split_by_patient(const LabelSets& labels, std::span<const std::string> patients) {
  std::map<std::pair<std::uint64_t, std::string>, std::vector<std::size_t>> groups;
  std::size_t labelled = 0;
  for (std::size_t r = 0; r < labels.rows(); ++r) {
    if (labels.row(r).empty()) continue;
    ++labelled;
    const std::string name =
        patients.empty() || patients[r].empty() ? "\n row " + std::to_string(r) : patients[r];
    groups[{XXH3_64bits(name.data(), name.size()), name}].push_back(r);
  }
  if (labelled < kFewestRows || groups.size() < 2) {
    fail(ErrorCode::invalid_argument, "class gate: expected at least ", kFewestRows,
         " labelled rows of at least two patients, got ", labelled, " of ", groups.size());
  }
  CalibrationSplit split;
  for (const auto& [key, rows] : groups) {
    auto& side = split.held_out.size() * 5 < labelled ? split.held_out : split.fit;
    side.insert(side.end(), rows.begin(), rows.end());
  }
  std::sort(split.fit.begin(), split.fit.end());
  std::sort(split.held_out.begin(), split.held_out.end());
  return split;
}

}  // namespace medretrieval::detail
