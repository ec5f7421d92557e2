// The hashing terms of paper 004, equations 8 to 10 and 12:
//   mean over pairs of 1/2 (1 - y) D^2 + 1/2 y max(0, m - D)^2
//   + alpha * mean over rows of | |f| - 1 |_1
// y is 1 for dissimilar pairs, D the Euclidean distance, not squared. f is the output of the hash layer itself:
// the paper names no activation there (equation 7 takes the sign of f), and equation 10 is what holds it near 1
// and -1.
#include <cmath>

#include "base/option_values.hpp"
#include "torch/hashing_loss.hpp"
#include "torch/losses/pairs.hpp"
#include "torch/losses/regularizers.hpp"

namespace medretrieval::deep::losses {

namespace {

class ContrastiveLoss final : public HashingLoss {
 public:
  ContrastiveLoss(std::int64_t bits, const Parameters& options)
      : margin_(detail::real(options, "margin")), alpha_(detail::real(options, "alpha")) {
    if (margin_ == 0) margin_ = std::sqrt(2 * static_cast<double>(bits));
  }

  Tensor operator()(const HashBatch& batch) const override {
    const Tensor distance = distances(batch.hash);
    const Tensor similar = similarity(batch.labels);
    const Tensor pulls = similar * distance.pow(2);
    const Tensor pushes = (1 - similar) * (margin_ - distance).clamp_min(0).pow(2);
    return mean_over_pairs((pulls + pushes) / 2) + alpha_ * magnitude_error(batch.hash);
  }

 private:
  double margin_;
  double alpha_;
};

}  // namespace

HashingLossType contrastive_loss() {
  HashingLossType type;
  type.name = "contrastive";
  type.description = "contrastive loss with codes held near 1 and -1 (paper 004, 2023, equations 8 to 10)";
  type.options = {{"margin", 0.0, 0, 1e6, "distance at which dissimilar codes rest; 0: sqrt(2 bits)"},
                  {"alpha", 0.5, 0, 1e6, "weight of | |f| - 1 |_1"}};
  type.make = [](const HashingTask& task, const Parameters& options) -> std::unique_ptr<HashingLoss> {
    return std::make_unique<ContrastiveLoss>(task.bits, options);
  };
  return type;
}

}  // namespace medretrieval::deep::losses
