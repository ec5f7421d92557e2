// The shared backbone of comparisons: a residual network, its pooled features, a hash layer and a linear
// classifier. Which loss trains the hash layer makes the method (DSH, DPSH, HashNet, central similarity, ...);
// without one, its features serve ITQ, LSH and the hashed classifier.
#include "base/option_values.hpp"
#include "torch/networks/class_activation.hpp"
#include "torch/networks/residual_network.hpp"
#include "torch/option_texts.hpp"

namespace medretrieval::deep::networks {

namespace {

namespace nn = ::torch::nn;

/// How hash layer and classifier stand to each other.
enum class Head {
  beside,   ///< both on the pooled features
  latent,   ///< the classifier on sigmoid(hash) (DLBHC, Lin et al. 2015)
  outputs,  ///< the hash layer on the classifier's outputs, which are the features
};

const OptionTexts<Head>& heads() {
  static const OptionTexts<Head> texts = {
      {"beside", Head::beside}, {"latent", Head::latent}, {"outputs", Head::outputs}};
  return texts;
}

class PlainResnet final : public Network {
 public:
  PlainResnet(const NetworkShape& shape, std::int64_t depth, Head head)
      : head_(head), backbone_(register_module("backbone", ResidualNetwork(depth))) {
    const auto bits = static_cast<std::int64_t>(shape.bits);
    const auto classes = static_cast<std::int64_t>(shape.classes);
    add_hash_slice(0, head == Head::outputs ? classes : backbone_->channels(), bits);
    classifier_ = register_module("classifier",
                                  nn::Linear(head == Head::latent ? bits : backbone_->channels(), classes));
  }

  bool classifies_hash() const override { return head_ == Head::latent; }

 private:
  NetworkOutput analyse(const Tensor& images) override {
    NetworkOutput output;
    const Tensor places = backbone_->forward(images, observer());
    output.features = named("pooled", places.mean({2, 3}));
    if (head_ == Head::latent) return output;
    output.logits = classifier_(output.features);
    output.attention = predicted_class_map(places, classifier_->weight, output.logits);
    if (head_ == Head::outputs) output.features = output.logits;
    return output;
  }

  Tensor classify_hash(const Tensor& hash, const Tensor& logits) override {
    return head_ == Head::latent ? classifier_(::torch::sigmoid(hash)) : logits;
  }

  Head head_;
  ResidualNetwork backbone_;
  nn::Linear classifier_{nullptr};
};

NetworkType plain_resnet(std::int64_t depth, std::size_t side) {
  NetworkType type;
  type.name = "resnet" + std::to_string(depth);
  type.description = "ResNet-" + std::to_string(depth) +
                     ", pooled features, hash layer, linear classifier: the shared backbone of comparisons";
  type.options = {{"head", std::string("beside"), 0, 0,
                   "beside: hash layer and classifier both on the features; latent: classifier on the hash "
                   "layer's sigmoid (DLBHC); outputs: features are the classifier's outputs"}};
  type.side = side;
  type.minimum_side = 32;
  type.plan.epochs = 50;
  type.plan.batch = 32;
  type.plan.optimizer = Optimizer::adam;
  type.plan.learning_rate = 1e-3;
  type.plan.weight_decay = 1e-4;
  type.plan.objective.hashing = "csq";
  type.make = [depth](const NetworkShape& shape, const Parameters& options) -> std::shared_ptr<Network> {
    return std::make_shared<PlainResnet>(shape, depth, heads().at(options, "head"));
  };
  return type;
}

}  // namespace

NetworkType resnet18_network() {
  return plain_resnet(18, 64);
}

NetworkType resnet50_network() {
  return plain_resnet(50, 224);
}

}  // namespace medretrieval::deep::networks
