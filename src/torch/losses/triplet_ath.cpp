// The triplet term of ATH (Fang et al. 2021), the mean over triplets of
//   max(0, m + |u - u+|^2 - |u - u-|^2) with u the output of the hash layer itself and m = bits / 2.
// Its cross-entropy is the classification term of the objective; the authors add one for each image of a
// triplet, which is a weight of 3.
#include "base/option_values.hpp"
#include "torch/hashing_loss.hpp"
#include "torch/losses/pairs.hpp"
#include "torch/losses/triplets.hpp"

namespace medretrieval::deep::losses {

namespace {

class TripletAthLoss final : public HashingLoss {
 public:
  TripletAthLoss(std::int64_t bits, const Parameters& options) : margin_(detail::real(options, "margin")) {
    if (margin_ == 0) margin_ = static_cast<double>(bits) / 2;
  }

  Tensor operator()(const HashBatch& batch) const override {
    return mean_triplet_hinge(distances(batch.hash).pow(2), similarity(batch.labels), margin_);
  }

 private:
  double margin_;
};

}  // namespace

HashingLossType triplet_ath_loss() {
  HashingLossType type;
  type.name = "triplet-ath";
  type.description = "triplet loss with a margin of bits / 2 (ATH, Fang et al. 2021)";
  type.options = {
      {"margin", 0.0, 0, 1e9, "between the squared distances of dissimilar and similar rows; 0: bits / 2"}};
  type.make = [](const HashingTask& task, const Parameters& options) -> std::unique_ptr<HashingLoss> {
    return std::make_unique<TripletAthLoss>(task.bits, options);
  };
  return type;
}

}  // namespace medretrieval::deep::losses
