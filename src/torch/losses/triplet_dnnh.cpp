// The triplet loss of DNNH (Lai et al. 2015), the mean over triplets of
//   max(0, m + |u - u+|^2 - |u - u-|^2) with u = sigmoid(hash), in 0..1.
// Its divide-and-encode layer is a matter of the network.
#include "base/option_values.hpp"
#include "torch/hashing_loss.hpp"
#include "torch/losses/pairs.hpp"
#include "torch/losses/triplets.hpp"

namespace medretrieval::deep::losses {

namespace {

class TripletDnnhLoss final : public HashingLoss {
 public:
  explicit TripletDnnhLoss(const Parameters& options) : margin_(detail::real(options, "margin")) {}

  Tensor operator()(const HashBatch& batch) const override {
    const Tensor squared = distances(::torch::sigmoid(batch.hash)).pow(2);
    return mean_triplet_hinge(squared, similarity(batch.labels), margin_);
  }

 private:
  double margin_;
};

}  // namespace

HashingLossType triplet_dnnh_loss() {
  HashingLossType type;
  type.name = "triplet-dnnh";
  type.description = "triplet loss on codes in 0..1 (DNNH, Lai et al. 2015)";
  type.options = {{"margin", 1.0, 0, 1e6, "between the squared distances of dissimilar and similar rows"}};
  type.make = [](const HashingTask&, const Parameters& options) -> std::unique_ptr<HashingLoss> {
    return std::make_unique<TripletDnnhLoss>(options);
  };
  return type;
}

}  // namespace medretrieval::deep::losses
