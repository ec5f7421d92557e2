#include <algorithm>
#include <limits>
#include <medretrieval/scorer.hpp>

namespace medretrieval {

namespace {
/// Candidates gathered beyond the capacity before the surplus is dropped, so that dropping costs little per
/// row.
constexpr std::size_t kSlack = 1024;
}  // namespace

CandidatePool::CandidatePool(PoolLimit limit)
    : capacity_(limit.count),
      threshold_(limit.count == 0 ? -std::numeric_limits<float>::infinity() : limit.radius) {}

void CandidatePool::enter(const ScanPart& part) noexcept {
  ids_ = part.ids.data();
  segment_ = part.segment;
}

void CandidatePool::offer(const std::uint32_t* rows, const float* distances, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    if (!(distances[i] <= threshold_)) continue;
    candidates_.push_back({ids_[rows[i]], distances[i], segment_, rows[i]});
  }
  if (candidates_.size() / 2 >= capacity_ && candidates_.size() - capacity_ >= kSlack) shrink();
}

void CandidatePool::merge(CandidatePool&& other) {
  candidates_.insert(candidates_.end(), other.candidates_.begin(), other.candidates_.end());
  other.candidates_.clear();
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
}

}  // namespace medretrieval
