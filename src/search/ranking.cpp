#include "search/ranking.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_set>

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

std::vector<Ranked> reranked(const SnapshotState& state, const FeatureScorer& scorer, std::size_t query,
                             const std::vector<Candidate>& pool) {
  std::vector<Ranked> ranked;
  std::vector<std::vector<std::size_t>> by_segment(state.parts.size());
  for (const auto& candidate : pool) {
    by_segment[candidate.segment].push_back(ranked.size());
    ranked.push_back({candidate, candidate.distance});
  }
  std::vector<std::uint32_t> rows;
  std::vector<float> distances;
  for (std::size_t s = 0; s < by_segment.size(); ++s) {
    if (by_segment[s].empty()) continue;
    const gallery::Segment& segment = *state.parts[s].segment;
    rows.clear();
    for (const auto i : by_segment[s]) {
      rows.push_back(ranked[i].candidate.row);
      segment.ensure_features(rows.back(), rows.back() + 1);
    }
    distances.resize(rows.size());
    scorer.distances(query, segment.features(), rows.data(), rows.size(), distances.data());
    require_finite(distances.data(), rows.size(), s);
    for (std::size_t i = 0; i < rows.size(); ++i) ranked[by_segment[s][i]].candidate.distance = distances[i];
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
