#include "index/nearest_lists.hpp"

#include <algorithm>

namespace medretrieval::index {

namespace {
constexpr std::size_t kGroup = 16;  // scores whose minimum is looked at first
}

NearestLists::NearestLists(std::span<const float> scores, std::size_t expected)
    : scores_(scores), batch_(std::max<std::size_t>(1, expected)) {}

std::optional<std::uint32_t> NearestLists::next() {
  if (given_ == sorted_.size()) {
    if (given_ == scores_.size()) return std::nullopt;
    sort_more(given_ + batch_);
    if (given_ == sorted_.size()) return std::nullopt;
    batch_ *= 4;
  }
  return sorted_[given_++].second;
}

/// At least `count` scores lie at or below it: the minima of groups are scores too.
float NearestLists::bound_on(std::size_t count) const {
  std::vector<float> minima;
  for (std::size_t begin = 0; begin < scores_.size(); begin += kGroup) {
    const auto group = scores_.subspan(begin, std::min(kGroup, scores_.size() - begin));
    float least = group[0];
    for (const float score : group) least = std::min(least, score);
    minima.push_back(least);
  }
  if (count > minima.size()) return std::numeric_limits<float>::infinity();
  const auto nth = minima.begin() + static_cast<std::ptrdiff_t>(count - 1);
  std::nth_element(minima.begin(), nth, minima.end());
  return *nth;
}

void NearestLists::sort_more(std::size_t count) {
  const float bound = bound_on(count);
  sorted_.clear();
  for (std::uint32_t list = 0; list < scores_.size(); ++list) {
    if (scores_[list] <= bound) sorted_.emplace_back(scores_[list], list);
  }
  std::sort(sorted_.begin(), sorted_.end());
}

}  // namespace medretrieval::index
