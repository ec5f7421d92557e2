#include "torch/losses/triplets.hpp"

#include <limits>

#include "torch/losses/pairs.hpp"

namespace medretrieval::deep::losses {

Tensor mean_triplet_hinge(const Tensor& distances, const Tensor& similar, double margin) {
  const Tensor others = different_rows(similar);
  const Tensor positive = similar * others;
  const Tensor negative = (1 - similar) * others;
  // The dissimilar rows of each anchor, nearest first, and the sums of their first distances.
  const Tensor keys = distances.detach().masked_fill(negative == 0, std::numeric_limits<double>::infinity());
  const auto [ascending, order] = keys.sort(1);
  const Tensor sums = (distances * negative).gather(1, order).cumsum(1);
  const Tensor sums_from_none = ::torch::constant_pad_nd(sums, {1, 0});
  // The hinge of (a, p) is open for the dissimilar rows nearer than this.
  const Tensor reach = distances + margin;
  const Tensor open = ::torch::searchsorted(ascending, reach.detach().contiguous());
  const Tensor hinges = open * reach - sums_from_none.gather(1, open);
  const Tensor triplets = (positive.sum(1) * negative.sum(1)).sum();
  return (positive * hinges).sum() / triplets.clamp_min(1);
}

}  // namespace medretrieval::deep::losses
