#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <medretrieval/scorer.hpp>

#include "codes/distance_keys.hpp"
#include "kernels/dispatch.hpp"

namespace medretrieval {

using detail::key_of;

namespace {
/// Entries taken in before the threshold is lowered again: so many that looking at all of them costs little a row.
constexpr std::size_t kSlack = 128;
constexpr std::size_t kFirstSlack = 256;  // at first nearly every row comes in

std::size_t slack_of(std::size_t capacity) {
  return std::max(capacity / 2, kSlack);
}
}  // namespace

void CandidatePool::reset(PoolLimit limit) {
  capacity_ = limit.count;
  threshold_ = limit.count == 0 ? -std::numeric_limits<float>::infinity() : limit.radius;
  due_ = limit.count == PoolLimit::kNoCount ? limit.count : limit.count + std::max(limit.count, kFirstSlack);
  counts_.clear();
  within_ = held_ = passed_ = 0;
  sources_.clear();
  excluded_ = {};
}

void CandidatePool::enter(const ScanPart& part) {
  excluded_ = part.excluded;
  const bool same =
      !sources_.empty() && sources_.back().ids == part.ids.data() && sources_.back().segment == part.segment;
  if (!same) sources_.push_back({part.ids.data(), part.segment});
}

void CandidatePool::count_distances(std::uint32_t furthest) {
  if (is_counting() || capacity_ == 0 || capacity_ == PoolLimit::kNoCount || threshold_ < 0) return;
  within_ = 0;
  counts_.resize(std::size_t{furthest} + 1);
  threshold_ = std::floor(std::min(threshold_, static_cast<float>(furthest)));
  for (std::size_t i = 0; i < held_; ++i) {
    const float distance = detail::distance_of(entries_.keys[i]);
    count(&distance, 1);
  }
}

/// Distances at the threshold stay while those below it are fewer than the capacity.
void CandidatePool::count(const float* distances, std::size_t count) {
  auto threshold = static_cast<std::size_t>(threshold_);
  for (std::size_t i = 0; i < count; ++i) {
    const auto distance = static_cast<std::size_t>(static_cast<std::int32_t>(distances[i]));
    ++counts_[distance];
    within_ += static_cast<std::size_t>(distance <= threshold);
  }
  while (within_ - counts_[threshold] >= capacity_) within_ -= counts_[threshold--];
  threshold_ = static_cast<float>(threshold);
}

void CandidatePool::offer(const std::uint32_t* rows, const float* distances, std::size_t count) {
  if (count == 0 || capacity_ == 0) return;
  if (excluded_.empty()) {
    append(rows, distances, count);
  } else {
    append_allowed(rows, distances, count);
  }
}

void CandidatePool::append_allowed(const std::uint32_t* rows, const float* distances, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    if (!(distances[i] <= threshold_)) continue;
    if (!std::binary_search(excluded_.begin(), excluded_.end(), rows[i])) append(rows + i, distances + i, 1);
  }
}

void CandidatePool::make_room(std::size_t count) {
  if (entries_.keys.size() >= held_ + count) return;
  constexpr std::size_t kMostAtFirst = 4096;
  const std::size_t at_first = std::min(due_, kMostAtFirst) + count;
  const std::size_t room = std::max({held_ + count, 2 * entries_.keys.size(), at_first});
  entries_.keys.resize(room);
  entries_.rows.resize(room);
  entries_.sources.resize(room);
}

void CandidatePool::append(const std::uint32_t* rows, const float* distances, std::size_t count) {
  if (is_counting()) this->count(distances, count);
  make_room(count);
  const auto source = static_cast<std::uint32_t>(sources_.size() - 1);
  const float threshold = threshold_;
  std::size_t at = held_;
  for (std::size_t i = 0; i < count; ++i) {
    entries_.keys[at] = key_of(distances[i]);
    entries_.rows[at] = rows[i];
    entries_.sources[at] = source;
    at += static_cast<std::size_t>(distances[i] <= threshold);
  }
  held_ = at;
  if (held_ >= due_) lower_threshold();
}

/// Entries above the threshold stay for a while: looking at them costs less than moving the others.
void CandidatePool::lower_threshold() {
  const std::size_t slack = slack_of(capacity_);
  if (!is_counting() && held_ > capacity_) {
    const auto cut = detail::cut_keys(keys(), capacity_, capacity_ + slack / 8);
    threshold_ = std::min(threshold_, detail::distance_of(cut.bound));
  }
  if (is_counting() || held_ >= 4 * capacity_ + 8 * kSlack) {
    drop_above_threshold();
    // Only ties at the threshold can be left in surplus.
    if (held_ >= capacity_ + 2 * slack) keep_nearest();
  }
  due_ = held_ + slack;
}

void CandidatePool::drop_above_threshold() {
  held_ = kernels::active().keep_keys(entries_.keys.data(), entries_.rows.data(), entries_.sources.data(),
                                      held_, key_of(threshold_));
}

/// Drops all but the nearest; of those at the same distance the lowest ids stay.
void CandidatePool::keep_nearest() {
  if (held_ <= capacity_ || capacity_ == 0) return;
  const auto cut = detail::cut_keys(keys(), capacity_, capacity_);
  threshold_ = detail::distance_of(cut.bound);
  drop_above_threshold();
  if (held_ > capacity_) {
    std::vector<std::size_t> ties;
    for (std::size_t i = 0; i < held_; ++i) {
      if (entries_.keys[i] == cut.bound) ties.push_back(i);
    }
    const auto surplus = ties.begin() + static_cast<std::ptrdiff_t>(ties.size() - (held_ - capacity_));
    std::nth_element(ties.begin(), surplus, ties.end(),
                     [this](std::size_t a, std::size_t b) { return id_of(a) < id_of(b); });
    std::sort(surplus, ties.end(), std::greater<>());
    for (auto gone = surplus; gone != ties.end();
         ++gone) {  // the last entry takes the place of a dropped one
      --held_;
      entries_.keys[*gone] = entries_.keys[held_];
      entries_.rows[*gone] = entries_.rows[held_];
      entries_.sources[*gone] = entries_.sources[held_];
    }
  }
  if (!is_counting()) return;
  counts_[static_cast<std::size_t>(threshold_)] -= static_cast<std::uint32_t>(within_ - capacity_);
  within_ = capacity_;
}

void CandidatePool::merge(CandidatePool&& other) {
  const auto moved = static_cast<std::uint32_t>(sources_.size());
  sources_.insert(sources_.end(), other.sources_.begin(), other.sources_.end());
  make_room(other.held_);
  for (std::size_t i = 0; i < other.held_; ++i, ++held_) {
    entries_.keys[held_] = other.entries_.keys[i];
    entries_.rows[held_] = other.entries_.rows[i];
    entries_.sources[held_] = other.entries_.sources[i] + moved;
  }
  other.held_ = 0;
  counts_.clear();
  keep_nearest();
}

Candidate CandidatePool::candidate_of(std::size_t entry) const noexcept {
  const Source& source = sources_[entries_.sources[entry]];
  const std::uint32_t row = entries_.rows[entry];
  return {source.ids[row], detail::distance_of(entries_.keys[entry]), source.segment, row};
}

/// By distance, without comparisons; then by id, which mostly is the order of rows already.
std::vector<Candidate> CandidatePool::sorted_by_counting() const {
  const auto distance = [&](std::size_t i) {
    return static_cast<std::size_t>(detail::distance_of(entries_.keys[i]));
  };
  std::vector<std::size_t> ends(counts_.size() + 1);
  for (std::size_t i = 0; i < held_; ++i) ++ends[distance(i) + 1];
  for (std::size_t d = 1; d < ends.size(); ++d) ends[d] += ends[d - 1];
  std::vector<Candidate> sorted(held_);
  for (std::size_t i = 0; i < held_; ++i) sorted[ends[distance(i)]++] = candidate_of(i);
  auto first = sorted.begin();
  for (std::size_t d = 0; d < counts_.size(); ++d) {
    const auto last = sorted.begin() + static_cast<std::ptrdiff_t>(ends[d]);
    if (!std::is_sorted(first, last)) std::sort(first, last);
    first = last;
  }
  sorted.resize(std::min(held_, capacity_));
  return sorted;
}

std::vector<Candidate> CandidatePool::take() {
  if (is_counting()) return take_unordered();  // by counting, so in order
  auto taken = take_unordered();
  std::sort(taken.begin(), taken.end());
  return taken;
}

std::vector<Candidate> CandidatePool::take_unordered() {
  std::vector<Candidate> taken;
  if (is_counting()) {
    drop_above_threshold();
    taken = sorted_by_counting();
  } else {
    keep_nearest();
    taken.reserve(held_);
    for (std::size_t i = 0; i < held_; ++i) taken.push_back(candidate_of(i));
  }
  held_ = 0;
  return taken;
}

}  // namespace medretrieval
