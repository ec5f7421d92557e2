// Target codes of paper 003 (Qin et al. 2019, equations 13 to 15): the Hamming distance between sign(Wx) and
// a code y that is made from the labels is to be least. Signs have no gradient, so the logistic loss stands
// for it, the mean over bits and rows that have a label of log2(1 + exp(-y hash)): at least 1 for a wrong
// bit, so never below the share of bits that differ. The paper does not say how y is made: two classes get a
// code and its complement, more get drawn codes that lie far apart, and a row with several labels the sign of
// their sum.
#include <numbers>

#include "base/concat.hpp"
#include "torch/hashing_loss.hpp"
#include "torch/losses/target_codes.hpp"

namespace medretrieval::deep::losses {

namespace {

Tensor make_class_codes(const HashingTask& task) {
  const std::int64_t classes = task.labels.size(1);
  if (classes < 2) {
    detail::fail(ErrorCode::invalid_argument, "hashing loss 'fcdn-codes': expected at least 2 classes, got ",
                 classes);
  }
  if (classes > 2) return separated_codes(classes, task.bits, task.seed);
  const Tensor code = separated_codes(1, task.bits, task.seed);
  return ::torch::cat({code, -code});
}

class FcdnCodesLoss final : public HashingLoss {
 public:
  explicit FcdnCodesLoss(const HashingTask& task) : targets_(make_class_codes(task), task.seed) {}

  Tensor operator()(const HashBatch& batch) const override {
    const Tensor costs = ::torch::softplus(-targets_.of(batch.labels) * batch.hash);
    return mean_over_labelled(costs, batch.labels) / std::numbers::ln2;
  }

 private:
  TargetCodes targets_;
};

}  // namespace

HashingLossType fcdn_codes_loss() {
  HashingLossType type;
  type.name = "fcdn-codes";
  type.description = "logistic loss against target codes made from labels (paper 003, Qin et al. 2019)";
  type.make = [](const HashingTask& task, const Parameters&) -> std::unique_ptr<HashingLoss> {
    return std::make_unique<FcdnCodesLoss>(task);
  };
  return type;
}

}  // namespace medretrieval::deep::losses
