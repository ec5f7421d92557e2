// The second stage: exact distances for the pool, and one answer for each group.
#pragma once

#include <medretrieval/searcher.hpp>
#include <vector>

#include "codes/feature_scorer.hpp"
#include "gallery/snapshot_state.hpp"

namespace medretrieval::detail {

/// The exact distance that a re-ranking stands for.
FeatureDistance feature_distance(Rerank rerank);

/// A candidate with both distances.
struct Ranked {
  Candidate candidate;  ///< its distance is the one that orders
  float code_distance = 0;
};

/// Asks memory for the features of a pool that will be re-ranked soon.
void prefetch_features(const SnapshotState& state, const std::vector<Candidate>& pool);

/// The pool by exact distance, in order.
/// \param pool may be put into another order
/// \param ranks so many of the first are wanted; others may be left out
std::vector<Ranked> reranked(const SnapshotState& state, const FeatureScorer& scorer, std::size_t query,
                             std::vector<Candidate>& pool, std::size_t ranks);

/// The first of every group, in order.
std::vector<Ranked> first_of_groups(const SnapshotState& state, GroupBy group_by,
                                    const std::vector<Ranked>& ranked);

}  // namespace medretrieval::detail
