#include "index/nearest_lists.hpp"

#include <algorithm>

namespace medretrieval::index {

std::optional<std::uint32_t> NearestLists::next() {
  if (given_ == lists_.size()) {
    if (given_ == quantizer_.lists()) return std::nullopt;
    ask_for_more();
  }
  return lists_[given_++];
}

/// Appends lists that were not given yet. A larger number may bring some that the smaller one missed.
void NearestLists::ask_for_more() {
  std::vector<bool> known(quantizer_.lists());
  for (const auto list : lists_) known[list] = true;
  const std::size_t wanted = std::max<std::size_t>(4 * lists_.size(), 1);
  const auto more = quantizer_.nearest(query_, wanted);
  for (const auto list : more.front()) {
    if (!known[list]) lists_.push_back(list);
  }
}

}  // namespace medretrieval::index
