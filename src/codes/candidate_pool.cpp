#include <algorithm>
#include <cmath>
#include <limits>
#include <medretrieval/scorer.hpp>

namespace medretrieval {

namespace {
/// Candidates gathered beyond the capacity before the surplus is dropped: at least these, so that dropping costs little
/// a row.
constexpr std::size_t kSlack = 128;
}  // namespace

CandidatePool::CandidatePool(PoolLimit limit)
    : capacity_(limit.count),
      threshold_(limit.count == 0 ? -std::numeric_limits<float>::infinity() : limit.radius) {}

void CandidatePool::enter(const ScanPart& part) noexcept {
  ids_ = part.ids.data();
  excluded_ = part.excluded;
  segment_ = part.segment;
}

void CandidatePool::count_distances(std::uint32_t furthest) {
  if (!counts_.empty() || capacity_ == 0 || capacity_ == PoolLimit::kNoCount) return;
  counts_.resize(std::size_t{furthest} + 1);
  threshold_ = std::floor(std::min(threshold_, static_cast<float>(furthest)));
  for (const auto& candidate : candidates_) tally(candidate.distance);
}

/// Distances at the threshold stay while those below it are fewer than the capacity.
void CandidatePool::tally(float distance) {
  ++counts_[static_cast<std::size_t>(distance)];
  ++within_;
  for (;;) {
    const std::size_t at_threshold = counts_[static_cast<std::size_t>(threshold_)];
    if (within_ - at_threshold < capacity_) return;
    within_ -= at_threshold;
    --threshold_;
  }
}

void CandidatePool::offer(const std::uint32_t* rows, const float* distances, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    if (!(distances[i] <= threshold_)) continue;
    if (!excluded_.empty() && std::binary_search(excluded_.begin(), excluded_.end(), rows[i])) continue;
    candidates_.push_back({ids_[rows[i]], distances[i], segment_, rows[i]});
    if (!counts_.empty()) tally(distances[i]);
  }
  if (candidates_.size() > capacity_ && candidates_.size() - capacity_ >= std::max(capacity_, kSlack))
    shrink();
}

void CandidatePool::merge(CandidatePool&& other) {
  candidates_.insert(candidates_.end(), other.candidates_.begin(), other.candidates_.end());
  other.candidates_.clear();
  counts_.clear();
  shrink();
}

std::vector<Candidate> CandidatePool::take() {
  shrink();
  std::sort(candidates_.begin(), candidates_.end());
  return std::move(candidates_);
}

void CandidatePool::shrink() {
  if (candidates_.size() <= capacity_ || capacity_ == 0) return;
  const auto last_kept = candidates_.begin() + static_cast<std::ptrdiff_t>(capacity_ - 1);
  std::nth_element(candidates_.begin(), last_kept, candidates_.end());
  threshold_ = last_kept->distance;
  candidates_.resize(capacity_);
  if (counts_.empty()) return;
  counts_[static_cast<std::size_t>(threshold_)] -= static_cast<std::uint32_t>(within_ - capacity_);
  within_ = capacity_;
}

}  // namespace medretrieval
