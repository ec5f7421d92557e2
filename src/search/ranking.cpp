#include "search/ranking.hpp"

#include <algorithm>
#include <limits>
#include <string_view>
#include <unordered_set>

#include "codes/distance_keys.hpp"

namespace medretrieval::detail {

FeatureDistance feature_distance(Rerank rerank) {
  switch (rerank) {
    case Rerank::inner_product:
      return FeatureDistance::inner_product;
    case Rerank::cosine:
      return FeatureDistance::cosine;
    case Rerank::l2:
    case Rerank::none:
      break;
  }
  return FeatureDistance::l2;
}

namespace {

/// Exact distances of the pool, which is ordered by segment.
std::vector<float> exact_distances(const SnapshotState& state, const FeatureScorer& scorer, std::size_t query,
                                   const std::vector<Candidate>& pool) {
  std::vector<float> distances(pool.size());
  std::vector<std::uint32_t> rows;
  rows.reserve(pool.size());
  for (std::size_t begin = 0; begin < pool.size(); begin += rows.size()) {  // the candidates of one segment
    const std::size_t number = pool[begin].segment;
    const gallery::Segment& segment = *state.parts[number].segment;
    rows.clear();
    for (std::size_t i = begin; i < pool.size() && pool[i].segment == number; ++i) {
      rows.push_back(pool[i].row);
    }
    segment.ensure_features(rows);
    scorer.distances(query, segment.features(), rows.data(), rows.size(), &distances[begin]);
    require_finite(&distances[begin], rows.size(), number);
  }
  return distances;
}

/// A distance that at least `ranks` of them do not exceed, and few more.
float distance_of_rank(const std::vector<float>& distances, std::size_t ranks) {
  if (ranks >= distances.size()) return std::numeric_limits<float>::infinity();
  std::vector<std::int32_t> keys(distances.size());
  std::transform(distances.begin(), distances.end(), keys.begin(), key_of);
  return detail::distance_of(cut_keys(keys, ranks, ranks + ranks / 4).bound);
}

}  // namespace

void prefetch_features(const SnapshotState& state, const std::vector<Candidate>& pool) {
  constexpr std::size_t kMost = 128;  // rows
  constexpr std::size_t kLineBytes = 64;
  for (std::size_t i = 0; i < std::min(kMost, pool.size()); ++i) {
    const auto row = state.parts[pool[i].segment].segment->features().row(pool[i].row);
    for (std::size_t b = 0; b < row.size(); b += kLineBytes) __builtin_prefetch(row.data() + b);
  }
}

std::vector<Ranked> reranked(const SnapshotState& state, const FeatureScorer& scorer, std::size_t query,
                             std::vector<Candidate>& pool, std::size_t ranks) {
  if (state.parts.size() > 1) {
    std::sort(pool.begin(), pool.end(), [](const auto& a, const auto& b) { return a.segment < b.segment; });
  }
  const auto distances = exact_distances(state, scorer, query, pool);
  const float most = distance_of_rank(distances, ranks);
  std::vector<Ranked> ranked;
  for (std::size_t i = 0; i < pool.size(); ++i) {
    if (!(distances[i] <= most)) continue;
    ranked.push_back({{pool[i].id, distances[i], pool[i].segment, pool[i].row}, pool[i].distance});
  }
  std::sort(ranked.begin(), ranked.end(),
            [](const Ranked& a, const Ranked& b) { return a.candidate < b.candidate; });
  return ranked;
}

std::vector<Ranked> first_of_groups(const SnapshotState& state, GroupBy group_by,
                                    const std::vector<Ranked>& ranked) {
  if (group_by == GroupBy::image) return ranked;
  const std::string_view column = group_by == GroupBy::study ? "study" : "patient";
  std::unordered_set<std::string_view> seen;
  std::vector<Ranked> first;
  for (const auto& each : ranked) {
    const auto* values = state.parts[each.candidate.segment].segment->text(column);
    const std::string_view group = values == nullptr ? std::string_view() : values->value(each.candidate.row);
    if (group.empty() || seen.insert(group).second) first.push_back(each);
  }
  return first;
}

}  // namespace medretrieval::detail
