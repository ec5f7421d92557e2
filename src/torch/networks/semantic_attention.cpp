// Paper 002 (Zhu et al. 2022; only its abstract is open): a classification branch whose class activations guide
// the attention; the global feature and local features of what the branch recognizes are hashed together.
#include <torch/nn/functional.h>

#include "base/option_values.hpp"
#include "torch/networks/class_activation.hpp"
#include "torch/networks/residual_network.hpp"
#include "torch/option_texts.hpp"

namespace medretrieval::deep::networks {

namespace {

namespace nn = ::torch::nn;

enum class Branch { fused, local, global };

const OptionTexts<Branch>& branches() {
  static const OptionTexts<Branch> texts = {
      {"fused", Branch::fused}, {"local", Branch::local}, {"global", Branch::global}};
  return texts;
}

/// How classes share the attention: as alternatives, or each for itself when an image may have several.
enum class Posterior { softmax, sigmoid };

const OptionTexts<Posterior>& posteriors() {
  static const OptionTexts<Posterior> texts = {{"softmax", Posterior::softmax},
                                               {"sigmoid", Posterior::sigmoid}};
  return texts;
}

class SemanticAttention final : public Network {
 public:
  SemanticAttention(const NetworkShape& shape, const Parameters& options)
      : branch_(branches().at(options, "branch")),
        posterior_(posteriors().at(options, "posterior")),
        backbone_(register_module(
            "backbone", ResidualNetwork(static_cast<std::int64_t>(detail::whole(options, "depth")),
                                        static_cast<std::int64_t>(detail::whole(options, "stages"))))) {
    const std::int64_t channels = backbone_->channels();
    const std::int64_t features = static_cast<std::int64_t>(detail::whole(options, "features"));
    classifier_ =
        register_module("classifier", nn::Linear(channels, static_cast<std::int64_t>(shape.classes)));
    fully_connected_ = register_module(
        "fully_connected", nn::Linear(branch_ == Branch::fused ? 2 * channels : channels, features));
    add_hash_slice(0, features, static_cast<std::int64_t>(shape.bits));
  }

  bool looks_through_classifier() const override { return branch_ != Branch::global; }

 private:
  NetworkOutput analyse(const Tensor& images) override {
    NetworkOutput output;
    const Tensor places = backbone_->forward(images, observer());
    const Tensor global = named("global", places.mean({2, 3}));
    output.logits = classifier_(global);
    output.attention = named("attention", attend(places, output.logits));
    const Tensor local = named("local", (output.attention.unsqueeze(1) * places).sum({2, 3}));
    const Tensor fused = branch_ == Branch::fused   ? ::torch::cat({global, local}, 1)
                         : branch_ == Branch::local ? local
                                                    : global;
    output.features = ::torch::relu(fully_connected_(named("fused", fused)));
    return output;
  }

  /// For each class the softmax of its activation map over the places, averaged over the classes by their
  /// posterior. Summing the places with these weights is the same as averaging a local feature for each class.
  /// Carries no gradient: classification alone shapes the maps, so that they stay its explanation.
  Tensor attend(const Tensor& places, const Tensor& logits) {
    const ::torch::NoGradGuard guard;
    const Tensor maps = class_activation_maps(places, classifier_->weight);
    const Tensor each = ::torch::softmax(named("class_activations", maps).flatten(2), 2);
    Tensor shares = posterior_ == Posterior::softmax ? ::torch::softmax(logits, 1) : ::torch::sigmoid(logits);
    shares = shares / shares.sum(1, true).clamp_min(1e-12);
    return ::torch::bmm(shares.unsqueeze(1), each).view({places.size(0), places.size(2), places.size(3)});
  }

  Branch branch_;
  Posterior posterior_;
  ResidualNetwork backbone_;
  nn::Linear classifier_{nullptr};
  nn::Linear fully_connected_{nullptr};
};

}  // namespace

NetworkType semantic_attention_network() {
  NetworkType type;
  type.name = "semantic-attention";
  type.description =
      "attention guided by class activations, global and local semantic features (Zhu et al. 2022)";
  type.options = {
      {"branch", std::string("fused"), 0, 0, "what is hashed: " + branches().names()},
      {"posterior", std::string("softmax"), 0, 0,
       "of the classes: " + posteriors().names() + " (several labels an image)"},
      {"depth", std::int64_t{18}, 18, 50, "of the residual network: 18, 34 or 50"},
      {"stages", std::int64_t{3}, 1, 4, "of the backbone; the maps have side / 2^(stages + 1) places a side"},
      {"features", std::int64_t{512}, 8, 65536, "width of the fully connected layer"}};
  type.side = 64;
  type.minimum_side = 32;
  // The abstract gives no numbers.
  type.plan.epochs = 50;
  type.plan.batch = 64;
  type.plan.optimizer = Optimizer::adam;
  type.plan.learning_rate = 1e-3;
  type.plan.weight_decay = 1e-4;
  type.plan.objective.hashing = "bayesian";
  type.plan.objective.hashing_parameters = {{"quantization", 0.1}};  // the log-prior
  type.make = [](const NetworkShape& shape, const Parameters& options) -> std::shared_ptr<Network> {
    return std::make_shared<SemanticAttention>(shape, options);
  };
  return type;
}

}  // namespace medretrieval::deep::networks
