// The lists of a query in the order of their distance, sorted only as far as they are asked for.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace medretrieval::index {

/// Gives the numbers of `scores` by ascending (score, number).
class NearestLists {
 public:
  /// \param expected about how many will be asked for
  NearestLists(std::span<const float> scores, std::size_t expected);

  /// None after the last.
  std::optional<std::uint32_t> next();

 private:
  using Entry = std::pair<float, std::uint32_t>;

  /// Sorts at least `count` further entries, or all that are left.
  void sort_more(std::size_t count);
  float bound_on(std::size_t count) const;

  std::span<const float> scores_;
  std::vector<Entry> sorted_;
  std::size_t given_ = 0;
  std::size_t batch_;
};

}  // namespace medretrieval::index
