// Deep pairwise-supervised hashing (Li et al. 2016), the mean over pairs of
//   log(1 + exp(t)) - s t with t = u_i'u_j / 2, and eta / n times the mean over rows of |u - sign u|^2.
// u is the output of the hash layer itself. The authors sum the likelihood over all n^2 pairs of the n
// training rows and the other term over the n rows; divided by n^2, that is this.
#include "base/option_values.hpp"
#include "torch/hashing_loss.hpp"
#include "torch/losses/pairs.hpp"
#include "torch/losses/regularizers.hpp"

namespace medretrieval::deep::losses {

namespace {

class DpshLoss final : public HashingLoss {
 public:
  DpshLoss(std::int64_t training_rows, const Parameters& options)
      : eta_(detail::real(options, "eta") / static_cast<double>(training_rows)) {}

  Tensor operator()(const HashBatch& batch) const override {
    const Tensor products = batch.hash.mm(batch.hash.t()) / 2;
    return mean_over_pairs(logistic_costs(products, similarity(batch.labels))) +
           eta_ * quantization_error(batch.hash);
  }

 private:
  double eta_;
};

}  // namespace

HashingLossType dpsh_loss() {
  HashingLossType type;
  type.name = "dpsh";
  type.description = "pairwise likelihood of inner products (DPSH, Li et al. 2016)";
  type.options = {{"eta", 10.0, 0, 1e6, "weight of |u - sign u|^2, divided by the number of training rows"}};
  type.make = [](const HashingTask& task, const Parameters& options) -> std::unique_ptr<HashingLoss> {
    return std::make_unique<DpshLoss>(task.labels.size(0), options);
  };
  return type;
}

}  // namespace medretrieval::deep::losses
