// A set of ids as sorted closed ranges: what was ever removed, compact because removals come in runs.
#pragma once

#include <cstdint>
#include <medretrieval/item_id.hpp>
#include <utility>
#include <vector>

namespace medretrieval::gallery {

class IdSet {
 public:
  using Range = std::pair<ItemId, ItemId>;  // first, last

  IdSet() = default;
  /// The caller has checked that the ranges ascend and do not touch.
  explicit IdSet(std::vector<Range> ranges) : ranges_(std::move(ranges)) {}

  bool contains(ItemId id) const noexcept;
  /// \param ids any order, repeats allowed
  void insert(const std::vector<ItemId>& ids);
  const std::vector<Range>& ranges() const noexcept { return ranges_; }

 private:
  std::vector<Range> ranges_;
};

}  // namespace medretrieval::gallery
