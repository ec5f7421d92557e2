#include "gallery/id_set.hpp"

#include <algorithm>

namespace medretrieval::gallery {

bool IdSet::contains(ItemId id) const noexcept {
  const auto after = std::upper_bound(ranges_.begin(), ranges_.end(), id,
                                      [](ItemId wanted, const Range& range) { return wanted < range.first; });
  return after != ranges_.begin() && id <= std::prev(after)->second;
}

void IdSet::insert(const std::vector<ItemId>& ids) {
  std::vector<Range> all = std::move(ranges_);
  for (const auto id : ids) all.emplace_back(id, id);
  std::sort(all.begin(), all.end());
  ranges_.clear();
  for (const auto& range : all) {
    if (!ranges_.empty() && range.first <= ranges_.back().second + 1) {
      ranges_.back().second = std::max(ranges_.back().second, range.second);
    } else {
      ranges_.push_back(range);
    }
  }
}

}  // namespace medretrieval::gallery
