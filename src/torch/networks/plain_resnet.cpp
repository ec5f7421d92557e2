// The shared backbone of comparisons: a residual network, its pooled features, a hash layer and a linear
// classifier. Which loss trains the hash layer makes the method (DSH, DPSH, HashNet, central similarity, ...);
// without one, its features serve ITQ, LSH and the hashed classifier.
#include "base/option_values.hpp"
#include "torch/networks/class_activation.hpp"
#include "torch/networks/residual_network.hpp"

namespace medretrieval::deep::networks {

namespace {

namespace nn = ::torch::nn;

class PlainResnet final : public Network {
 public:
  PlainResnet(const NetworkShape& shape, std::int64_t depth)
      : backbone_(register_module("backbone", ResidualNetwork(depth))) {
    add_hash_slice(0, backbone_->channels(), static_cast<std::int64_t>(shape.bits));
    classifier_ = register_module(
        "classifier", nn::Linear(backbone_->channels(), static_cast<std::int64_t>(shape.classes)));
  }

 private:
  NetworkOutput analyse(const Tensor& images) override {
    NetworkOutput output;
    const Tensor places = backbone_->forward(images, observer());
    output.features = named("pooled", places.mean({2, 3}));
    output.logits = classifier_(output.features);
    output.attention = predicted_class_map(places, classifier_->weight, output.logits);
    return output;
  }

  ResidualNetwork backbone_;
  nn::Linear classifier_{nullptr};
};

NetworkType plain_resnet(std::int64_t depth, std::size_t side) {
  NetworkType type;
  type.name = "resnet" + std::to_string(depth);
  type.description = "ResNet-" + std::to_string(depth) +
                     ", pooled features, hash layer, linear classifier: the shared backbone of comparisons";
  type.side = side;
  type.minimum_side = 32;
  type.plan.epochs = 50;
  type.plan.batch = 32;
  type.plan.optimizer = Optimizer::adam;
  type.plan.learning_rate = 1e-3;
  type.plan.weight_decay = 1e-4;
  type.make = [depth](const NetworkShape& shape, const Parameters& /*options*/) -> std::shared_ptr<Network> {
    return std::make_shared<PlainResnet>(shape, depth);
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
