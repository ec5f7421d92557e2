// CNNH (Xia et al. 2014). First stage, when the loss is made: codes of all training rows with HH'/bits near
// their similarity (cnnh_codes.hpp). Second stage: the regression of each row's code c in {-1, 1}^bits, mean
// over rows and bits, by (tanh(hash) - c)^2 or by cross-entropy, log(1 + exp(-c hash)).
#include "base/option_values.hpp"
#include "torch/hashing_loss.hpp"
#include "torch/losses/cnnh_codes.hpp"
#include "torch/option_texts.hpp"

namespace medretrieval::deep::losses {

namespace {

enum class Regression { squared, cross_entropy };

const OptionTexts<Regression>& regressions() {
  static const OptionTexts<Regression> texts = {{"squared", Regression::squared},
                                                {"cross-entropy", Regression::cross_entropy}};
  return texts;
}

Tensor make_codes(const HashingTask& task, std::size_t sweeps) {
  CnnhCodes factors(task.labels, task.bits, task.seed);
  for (std::size_t sweep = 0; sweep < sweeps; ++sweep) factors.sweep();
  return factors.codes();
}

class CnnhLoss final : public HashingLoss {
 public:
  CnnhLoss(const HashingTask& task, const Parameters& options)
      : regression_(regressions().at(detail::text(options, "regression"))),
        codes_(make_codes(task, detail::whole(options, "sweeps"))) {}

  Tensor operator()(const HashBatch& batch) const override {
    const Tensor targets = codes_.index_select(0, batch.rows.to(codes_.device())).to(batch.hash.options());
    if (regression_ == Regression::squared) return (::torch::tanh(batch.hash) - targets).pow(2).mean();
    return ::torch::softplus(-targets * batch.hash).mean();
  }

 private:
  Regression regression_;
  Tensor codes_;
};

}  // namespace

HashingLossType cnnh_loss() {
  HashingLossType type;
  type.name = "cnnh";
  type.description = "regression of codes that factor the similarity of all rows (CNNH, Xia et al. 2014)";
  type.options = {{"sweeps", std::int64_t{10}, 1, 1000, "of coordinate descent in the first stage"},
                  {"regression", std::string("squared"), 0, 0, "of the codes: " + regressions().names()}};
  type.make = [](const HashingTask& task, const Parameters& options) -> std::unique_ptr<HashingLoss> {
    return std::make_unique<CnnhLoss>(task, options);
  };
  return type;
}

}  // namespace medretrieval::deep::losses
