// What the pairwise losses share. "Pairs" are ordered pairs of different rows of a batch: (i, j) and (j, i)
// count alike, (i, i) never counts.
#pragma once

#include <torch/types.h>

#include <utility>

namespace medretrieval::deep::losses {

using ::torch::Tensor;

/// rows x rows: 1 for two different rows, 0 on the diagonal.
Tensor different_rows(const Tensor& codes);

/// The mean of rows x rows costs over pairs; 0 for a single row.
Tensor mean_over_pairs(const Tensor& costs);

/// The mean cost of similar and that of dissimilar pairs; 0 for a kind that a batch lacks.
/// \param similar rows x rows, 0 or 1
std::pair<Tensor, Tensor> means_by_kind(const Tensor& costs, const Tensor& similar);

/// rows x rows weights that sum to 1 over all pairs, half of it on similar and half on dissimilar pairs; all
/// of it on one kind where a batch has only that. The diagonal is 0.
/// \param similar rows x rows: 0 for dissimilar pairs, for similar ones above 0 their share of that half
Tensor balanced_pair_weights(const Tensor& similar);

/// rows x rows: the labels that two rows share by the labels of either (Jaccard); 0 where neither row has
/// any.
Tensor label_overlap(const Tensor& labels);

/// rows x rows Euclidean distances, not squared, from differences: exact for near codes, with a gradient of 0
/// for equal ones.
Tensor distances(const Tensor& codes);

/// log(1 + exp(x)) - s x elementwise, the negative logarithm of a likelihood sigmoid(x)^s (1 - sigmoid(x))^(1
/// - s); never overflows.
Tensor logistic_costs(const Tensor& products, const Tensor& similar);

}  // namespace medretrieval::deep::losses
