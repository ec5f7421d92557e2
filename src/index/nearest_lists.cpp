#include "index/nearest_lists.hpp"

#include <algorithm>

namespace medretrieval::index {

namespace {
constexpr std::size_t kTogether = 16;      // scores whose minimum is looked at first
constexpr std::size_t kShareLookedAt = 8;  // one list in so many
constexpr std::size_t kListsForOne = 4;    // looked at for each that is expected to be asked for
}  // namespace

Ascending::Ascending(std::vector<float> scores, std::size_t expected)
    : scores_(std::move(scores)), batch_(std::max<std::size_t>(1, expected)) {}

std::optional<std::uint32_t> Ascending::next() {
  if (given_ == sorted_.size()) {
    if (given_ == scores_.size()) return std::nullopt;
    sort_more(given_ + batch_);
    if (given_ == sorted_.size()) return std::nullopt;
    batch_ *= 4;
  }
  return sorted_[given_++].second;
}

/// At least `count` scores lie at or below it: the minima of groups are scores too.
float Ascending::bound_on(std::size_t count) const {
  std::vector<float> minima;
  for (std::size_t begin = 0; begin < scores_.size(); begin += kTogether) {
    const auto group = std::span(scores_).subspan(begin, std::min(kTogether, scores_.size() - begin));
    float least = group[0];
    for (const float score : group) least = std::min(least, score);
    minima.push_back(least);
  }
  if (count > minima.size()) return std::numeric_limits<float>::infinity();
  const auto nth = minima.begin() + static_cast<std::ptrdiff_t>(count - 1);
  std::nth_element(minima.begin(), nth, minima.end());
  return *nth;
}

void Ascending::sort_more(std::size_t count) {
  const float bound = bound_on(count);
  sorted_.clear();
  for (std::uint32_t list = 0; list < scores_.size(); ++list) {
    if (scores_[list] <= bound) sorted_.emplace_back(scores_[list], list);
  }
  std::sort(sorted_.begin(), sorted_.end());
}

NearestLists::NearestLists(const CoarseQuantizer& quantizer, std::span<const float> centred_query,
                           std::span<const float> group_scores, std::size_t expected)
    : quantizer_(quantizer),
      query_(centred_query),
      expected_(expected),
      groups_({group_scores.begin(), group_scores.end()}, group_scores.size() / kShareLookedAt + 2) {}

std::optional<std::uint32_t> NearestLists::next() {
  for (;;) {
    if (order_) {
      if (const auto place = order_->next()) return lists_[*place];
    }
    if (!look_at_groups()) return std::nullopt;
  }
}

bool NearestLists::look_at_groups() {
  const std::size_t wanted = std::max(quantizer_.lists() / kShareLookedAt, kListsForOne * expected_);
  lists_.clear();
  std::vector<float> scores;
  while (lists_.size() < wanted) {
    const auto group = groups_.next();
    if (!group) break;
    const auto lists = quantizer_.lists_of(*group);
    lists_.insert(lists_.end(), lists.begin(), lists.end());
    scores.resize(lists_.size());
    quantizer_.list_scores(query_, *group, std::span(scores).last(lists.size()));
  }
  if (lists_.empty()) return false;
  order_.emplace(std::move(scores), expected_);
  return true;
}

}  // namespace medretrieval::index
