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
                             std::vector<Candidate>& pool, std::size_t ranks) {
  std::vector<Ranked> ranked;
  ranked.reserve(pool.size());
  if (state.parts.size() > 1) {
    std::sort(pool.begin(), pool.end(), [](const auto& a, const auto& b) { return a.segment < b.segment; });
  }
  std::vector<std::uint32_t> rows;
  std::vector<float> distances;
  for (std::size_t begin = 0; begin < pool.size(); begin += rows.size()) {  // the candidates of one segment
    const std::size_t number = pool[begin].segment;
    const gallery::Segment& segment = *state.parts[number].segment;
    rows.clear();
    for (std::size_t i = begin; i < pool.size() && pool[i].segment == number; ++i) {
      rows.push_back(pool[i].row);
    }
    segment.ensure_features(rows);
    distances.resize(rows.size());
    scorer.distances(query, segment.features(), rows.data(), rows.size(), distances.data());
    require_finite(distances.data(), rows.size(), number);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const Candidate& candidate = pool[begin + i];
      ranked.push_back({{candidate.id, distances[i], candidate.segment, candidate.row}, candidate.distance});
    }
  }
  const auto nearer = [](const Ranked& a, const Ranked& b) { return a.candidate < b.candidate; };
  const std::size_t sorted = std::min(ranks, ranked.size());
  if (sorted < ranked.size()) {
    std::nth_element(ranked.begin(), ranked.begin() + static_cast<std::ptrdiff_t>(sorted), ranked.end(),
                     nearer);
  }
  std::sort(ranked.begin(), ranked.begin() + static_cast<std::ptrdiff_t>(sorted), nearer);
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
