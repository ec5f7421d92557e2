#include <algorithm>
#include <medretrieval/labels.hpp>
#include <numeric>

#include "base/concat.hpp"

namespace medretrieval {

using detail::fail;

LabelVocabulary::LabelVocabulary(std::vector<std::string> names)
    : names_(std::move(names)), by_name_(names_.size()) {
  if (names_.size() > kMaxLabels) {
    fail(ErrorCode::limit_exceeded, "a vocabulary holds up to ", kMaxLabels, " labels, got ", names_.size());
  }
  std::iota(by_name_.begin(), by_name_.end(), ClassId{0});
  std::sort(by_name_.begin(), by_name_.end(), [&](ClassId a, ClassId b) { return names_[a] < names_[b]; });
  for (std::size_t i = 0; i < by_name_.size(); ++i) {
    const auto& name = names_[by_name_[i]];
    if (name.empty()) fail(ErrorCode::invalid_argument, "label ", by_name_[i], " of the vocabulary is empty");
    if (i > 0 && name == names_[by_name_[i - 1]]) {
      fail(ErrorCode::invalid_argument, "label '", name, "' is in the vocabulary twice");
    }
  }
}

std::optional<ClassId> LabelVocabulary::find(std::string_view name) const noexcept {
  const auto place =
      std::lower_bound(by_name_.begin(), by_name_.end(), name,
                       [&](ClassId label, std::string_view wanted) { return names_[label] < wanted; });
  if (place == by_name_.end() || names_[*place] != name) return std::nullopt;
  return *place;
}

ClassId LabelVocabulary::at(std::string_view name) const {
  if (const auto label = find(name)) return *label;
  std::string known;
  for (const auto& each : names_) {
    known += known.empty() ? "" : ", ";
    if (known.size() > 400) {
      known += "...";
      break;
    }
    known += each;
  }
  fail(ErrorCode::not_found, "unknown label '", name, "'; the ", size(), " known labels: ", known);
}

LabelSets::LabelSets(const LabelVocabulary& vocabulary, std::span<const std::vector<std::string>> rows) {
  std::vector<ClassId> labels;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    labels.clear();
    for (const auto& name : rows[r]) {
      const auto label = vocabulary.find(name);
      if (!label) fail(ErrorCode::not_found, "row ", r, ": unknown label '", name, "'");
      labels.push_back(*label);
    }
    add_row(labels);
  }
}

void LabelSets::add_row(std::span<const ClassId> labels) {
  const std::size_t start = values_.size();
  for (const auto label : labels) {
    const auto known = values_.begin() + static_cast<std::ptrdiff_t>(start);
    if (std::find(known, values_.end(), label) == values_.end()) values_.push_back(label);
  }
  starts_.push_back(values_.size());
}

bool LabelSets::has_several() const noexcept {
  for (std::size_t r = 0; r < rows(); ++r) {
    if (row(r).size() > 1) return true;
  }
  return false;
}

bool share_a_label(std::span<const ClassId> a, std::span<const ClassId> b) noexcept {
  return std::any_of(a.begin(), a.end(),
                     [&](ClassId label) { return std::find(b.begin(), b.end(), label) != b.end(); });
}

}  // namespace medretrieval
