// Deep supervised hashing (Liu et al. 2016), the mean over pairs (i, j) of
//   1/2 (1 - y) D^2 + 1/2 y max(m - D^2, 0) + alpha (| |u_i| - 1 |_1 + | |u_j| - 1 |_1).
// y is 1 for dissimilar pairs; u is the output of the hash layer itself.
#include "base/option_values.hpp"
#include "torch/hashing_loss.hpp"
#include "torch/losses/pairs.hpp"
#include "torch/losses/regularizers.hpp"

namespace medretrieval::deep::losses {

namespace {

class DshLoss final : public HashingLoss {
 public:
  DshLoss(std::int64_t bits, const Parameters& options)
      : margin_(detail::real(options, "margin")), alpha_(detail::real(options, "alpha")) {
    if (margin_ == 0) margin_ = 2 * static_cast<double>(bits);
  }

  Tensor operator()(const HashBatch& batch) const override {
    const Tensor squared = distances(batch.hash).pow(2);
    const Tensor similar = similarity(batch.labels);
    const Tensor costs = similar * squared + (1 - similar) * (margin_ - squared).clamp_min(0);
    return mean_over_pairs(costs / 2) + 2 * alpha_ * magnitude_error(batch.hash);
  }

 private:
  double margin_;
  double alpha_;
};

}  // namespace

HashingLossType dsh_loss() {
  HashingLossType type;
  type.name = "dsh";
  type.description = "contrastive loss on squared distances, codes held near 1 and -1 (DSH, Liu et al. 2016)";
  type.options = {{"margin", 0.0, 0, 1e6, "squared distance at which dissimilar codes rest; 0: 2 bits"},
                  {"alpha", 0.01, 0, 1e6, "weight of | |u| - 1 |_1, once for either code of a pair"}};
  type.make = [](const HashingTask& task, const Parameters& options) -> std::unique_ptr<HashingLoss> {
    return std::make_unique<DshLoss>(task.bits, options);
  };
  return type;
}

}  // namespace medretrieval::deep::losses
