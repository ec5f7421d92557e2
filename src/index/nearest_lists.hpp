// The lists of a query, the nearest first, worked out only as far as they are asked for.
#pragma once

#include <cstdint>
#include <limits>
#include <medretrieval/coarse_quantizer.hpp>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace medretrieval::index {

/// Gives places in `scores` by ascending (score, place).
class Ascending {
 public:
  /// \param expected about how many will be asked for
  Ascending(std::vector<float> scores, std::size_t expected);

  /// None after the last.
  std::optional<std::uint32_t> next();

 private:
  using Entry = std::pair<float, std::uint32_t>;

  /// Sorts at least the `count` first entries.
  void sort_more(std::size_t count);
  float bound_on(std::size_t count) const;

  std::vector<float> scores_;
  std::vector<Entry> sorted_;
  std::size_t given_ = 0;
  std::size_t batch_;
};

/// Gives the lists of one query. It looks at the nearest groups until they hold an eighth of all lists and four times the
/// expected number, and gives their lists by (score, number in the group's order); then it looks at further groups.
class NearestLists {
 public:
  /// \param centred_query see CoarseQuantizer::centred(); it and the quantizer outlive this
  /// \param group_scores of the query
  NearestLists(const CoarseQuantizer& quantizer, std::span<const float> centred_query,
               std::span<const float> group_scores, std::size_t expected);

  /// None after the last.
  std::optional<std::uint32_t> next();

 private:
  /// False when no group is left.
  bool look_at_groups();

  const CoarseQuantizer& quantizer_;
  std::span<const float> query_;
  std::size_t expected_;
  Ascending groups_;
  std::vector<std::uint32_t> lists_;  // of the groups looked at last
  std::optional<Ascending> order_;
};

}  // namespace medretrieval::index
