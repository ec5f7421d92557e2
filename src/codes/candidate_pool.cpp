#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <medretrieval/scorer.hpp>

namespace medretrieval {

namespace {
/// Rows gathered beyond the capacity before the surplus is dropped: at least these, so that dropping costs little a row.
constexpr std::size_t kSlack = 128;

std::size_t slack_of(std::size_t capacity) {
  return std::max(capacity / 2, kSlack);
}

/// Entries held when the surplus is dropped for the first time: later than afterwards, for at first nearly every row
/// comes in.
std::size_t first_full(std::size_t capacity) {
  constexpr std::size_t kLeast = 256;
  return capacity == PoolLimit::kNoCount ? capacity : capacity + std::max(3 * capacity, kLeast);
}

constexpr std::size_t kBins = 256;
constexpr std::size_t kFewEntries = 64;

/// Distances by equal steps between the least and the largest: a larger one is never in a lower bin.
struct Bins {
  float least;
  float scale;

  std::size_t of(float distance) const noexcept {
    return static_cast<std::size_t>(static_cast<std::int32_t>((distance - least) * scale));
  }
};
}  // namespace

CandidatePool::CandidatePool(PoolLimit limit)
    : capacity_(limit.count),
      threshold_(limit.count == 0 ? -std::numeric_limits<float>::infinity() : limit.radius),
      full_(first_full(limit.count)) {}

void CandidatePool::enter(const ScanPart& part) {
  excluded_ = part.excluded;
  const bool same =
      !sources_.empty() && sources_.back().ids == part.ids.data() && sources_.back().segment == part.segment;
  if (!same) sources_.push_back({part.ids.data(), part.segment});
}

void CandidatePool::count_distances(std::uint32_t furthest) {
  if (is_counting() || capacity_ == 0 || capacity_ == PoolLimit::kNoCount) return;
  counts_.resize(std::size_t{furthest} + 1);
  threshold_ = std::floor(std::min(threshold_, static_cast<float>(furthest)));
  for (std::size_t i = 0; i < held_; ++i) count(&entries_[i].distance, 1);
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

void CandidatePool::append(const std::uint32_t* rows, const float* distances, std::size_t count) {
  if (is_counting()) this->count(distances, count);
  if (entries_.size() < held_ + count) entries_.resize(std::max(held_ + count, 2 * entries_.size()));
  const auto source = static_cast<std::uint32_t>(sources_.size() - 1);
  const float threshold = threshold_;
  Entry* out = entries_.data() + held_;
  for (std::size_t i = 0; i < count; ++i) {
    const float distance = distances[i];
    *out = {distance, rows[i], source};
    out += static_cast<std::ptrdiff_t>(distance <= threshold);
  }
  held_ = static_cast<std::size_t>(out - entries_.data());
  if (held_ >= full_) drop_surplus();
}

void CandidatePool::drop_surplus() {
  const std::size_t slack = slack_of(capacity_);
  if (is_counting()) drop_above_threshold();
  // Where distances are counted, only ties at the threshold are left in surplus.
  if (!is_counting() || held_ >= capacity_ + 2 * slack) keep_nearest();
  full_ = held_ + slack;
}

void CandidatePool::drop_above_threshold() {
  Entry* out = entries_.data();
  const float threshold = threshold_;
  for (std::size_t i = 0; i < held_; ++i) {
    const Entry entry = entries_[i];
    *out = entry;
    // 1 unless the difference is negative: which rows stay is hard to foresee, so no branch.
    out += 1 - (std::bit_cast<std::uint32_t>(threshold - entry.distance) >> 31);
  }
  held_ = static_cast<std::size_t>(out - entries_.data());
}

bool CandidatePool::before(const Entry& a, const Entry& b) const noexcept {
  if (a.distance != b.distance) return a.distance < b.distance;
  return sources_[a.source].ids[a.row] < sources_[b.source].ids[b.row];
}

/// Keeps the nearest by comparing: all entries from `first` are at least as far as those before it.
void CandidatePool::cut(std::size_t first) {
  const auto begin = entries_.begin();
  const auto last_kept = begin + static_cast<std::ptrdiff_t>(capacity_ - 1);
  std::nth_element(begin + static_cast<std::ptrdiff_t>(first), last_kept,
                   begin + static_cast<std::ptrdiff_t>(held_),
                   [this](const Entry& a, const Entry& b) { return before(a, b); });
  threshold_ = last_kept->distance;
  held_ = capacity_;
}

/// Comparisons mispredict, so only the entries of one bin of distances are compared: the bin that the last kept one lies in.
void CandidatePool::keep_nearest() {
  if (held_ <= capacity_ || capacity_ == 0) return;
  float least = entries_[0].distance;
  float largest = least;
  for (std::size_t i = 1; i < held_; ++i) {
    least = std::min(least, entries_[i].distance);
    largest = std::max(largest, entries_[i].distance);
  }
  const Bins bins = {least, static_cast<float>(kBins - 1) / (largest - least)};
  if (held_ < kFewEntries || !(largest > least) || !std::isfinite(bins.scale * (largest - least))) {
    cut(0);
  } else {
    std::array<std::uint32_t, kBins + 1> counts = {};
    for (std::size_t i = 0; i < held_; ++i) ++counts[bins.of(entries_[i].distance)];
    std::size_t below = 0;
    std::size_t last = 0;
    while (below + counts[last] < capacity_) below += counts[last++];
    last_bin_.clear();
    Entry* out = entries_.data();
    for (std::size_t i = 0; i < held_; ++i) {
      const Entry entry = entries_[i];
      const std::size_t bin = bins.of(entry.distance);
      if (bin == last) last_bin_.push_back(entry);
      *out = entry;
      out += static_cast<std::ptrdiff_t>(bin < last);
    }
    std::copy(last_bin_.begin(), last_bin_.end(), out);
    held_ = below + last_bin_.size();
    cut(below);
  }
  if (!is_counting()) return;
  counts_[static_cast<std::size_t>(threshold_)] -= static_cast<std::uint32_t>(within_ - capacity_);
  within_ = capacity_;
}

void CandidatePool::merge(CandidatePool&& other) {
  const auto moved = static_cast<std::uint32_t>(sources_.size());
  sources_.insert(sources_.end(), other.sources_.begin(), other.sources_.end());
  entries_.resize(held_);
  for (std::size_t i = 0; i < other.held_; ++i) {
    const Entry& entry = other.entries_[i];
    entries_.push_back({entry.distance, entry.row, entry.source + moved});
  }
  held_ = entries_.size();
  other.held_ = 0;
  counts_.clear();
  keep_nearest();
}

Candidate CandidatePool::candidate_of(const Entry& entry) const noexcept {
  const Source& source = sources_[entry.source];
  return {source.ids[entry.row], entry.distance, source.segment, entry.row};
}

/// By distance, without comparisons; then by id, which mostly is the order of rows already.
std::vector<Candidate> CandidatePool::sorted_by_counting() const {
  std::vector<std::size_t> ends(counts_.size() + 1);
  for (std::size_t i = 0; i < held_; ++i) ++ends[static_cast<std::size_t>(entries_[i].distance) + 1];
  for (std::size_t d = 1; d < ends.size(); ++d) ends[d] += ends[d - 1];
  std::vector<Candidate> sorted(held_);
  for (std::size_t i = 0; i < held_; ++i) {
    sorted[ends[static_cast<std::size_t>(entries_[i].distance)]++] = candidate_of(entries_[i]);
  }
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
    for (std::size_t i = 0; i < held_; ++i) taken.push_back(candidate_of(entries_[i]));
  }
  held_ = 0;
  return taken;
}

}  // namespace medretrieval
