// Paper 000 (Mao 2020) takes its features from VGG-16 (Simonyan and Zisserman 2015): fc7 here, with the parameter
// names of torchvision, so that published weights load by name.
#include <torch/nn/functional.h>
#include <torch/nn/init.h>
#include <torch/nn/modules.h>

#include <array>

#include "torch/networks/imagenet_input.hpp"
#include "torch/networks/residual_network.hpp"

namespace medretrieval::deep::networks {

namespace {

namespace nn = ::torch::nn;

constexpr std::int64_t kPlaces = 7;       // a side, after adaptive pooling
constexpr std::int64_t kFeatures = 4096;  // of fc6 and fc7

/// Widths of the 3 x 3 convolutions; 0 is a max-pooling that halves.
constexpr std::array<std::int64_t, 18> kPlan = {64, 64,  0,   128, 128, 0,   256, 256, 256,
                                                0,  512, 512, 512, 0,   512, 512, 512, 0};

class VggImpl : public nn::Module {
 public:
  VggImpl() {
    nn::Sequential features;
    std::int64_t channels = 3;
    for (const std::int64_t width : kPlan) {
      if (width == 0) {
        features->push_back(nn::MaxPool2d(nn::MaxPool2dOptions(2)));
      } else {
        features->push_back(nn::Conv2d(nn::Conv2dOptions(channels, width, 3).padding(1)));
        features->push_back(nn::ReLU(nn::ReLUOptions(true)));
        channels = width;
      }
    }
    features_ = register_module("features", features);
    classifier_ = register_module(
        "classifier",
        nn::Sequential(nn::Linear(channels * kPlaces * kPlaces, kFeatures), nn::ReLU(nn::ReLUOptions(true)),
                       nn::Dropout(0.5), nn::Linear(kFeatures, kFeatures), nn::ReLU(nn::ReLUOptions(true))));
    initialize_convolutions(*this);
    for (const auto& layer : *classifier_) {
      if (auto* linear = layer.ptr()->as<nn::Linear>()) {
        nn::init::normal_(linear->weight, 0, 0.01);
        nn::init::zeros_(linear->bias);
      }
    }
  }

  Tensor forward(const Tensor& grey, const LayerObserver& observer) {
    const Tensor places = features_->forward(imagenet_input(grey));
    if (observer) observer("features", places);
    return classifier_->forward(::torch::adaptive_avg_pool2d(places, {kPlaces, kPlaces}).flatten(1));
  }

 private:
  nn::Sequential features_{nullptr};
  nn::Sequential classifier_{nullptr};
};
TORCH_MODULE(Vgg);

class Vgg16 final : public Network {
 public:
  explicit Vgg16(const NetworkShape& shape) : backbone_(register_module("backbone", Vgg())) {
    dropout_ = register_module("dropout", nn::Dropout(0.5));
    add_hash_slice(0, kFeatures, static_cast<std::int64_t>(shape.bits));
    classifier_ =
        register_module("classifier", nn::Linear(kFeatures, static_cast<std::int64_t>(shape.classes)));
  }

 private:
  NetworkOutput analyse(const Tensor& images) override {
    NetworkOutput output;
    output.features = named("fc7", backbone_->forward(images, observer()));
    output.logits = classifier_(dropout_(output.features));
    return output;
  }

  Vgg backbone_;
  nn::Dropout dropout_{nullptr};
  nn::Linear classifier_{nullptr};
};

}  // namespace

NetworkType vgg16_network() {
  NetworkType type;
  type.name = "vgg16";
  type.description = "VGG-16, fc7 features, hash layer, linear classifier (Mao 2020)";
  type.side = 224;
  type.minimum_side = 32;
  // The paper takes trained weights and learns nothing; these numbers fine-tune.
  type.plan.epochs = 25;
  type.plan.batch = 32;
  type.plan.optimizer = Optimizer::adam;
  type.plan.learning_rate = 1e-4;
  type.plan.objective.hashing = "csq";
  type.make = [](const NetworkShape& shape, const Parameters& /*options*/) -> std::shared_ptr<Network> {
    return std::make_shared<Vgg16>(shape);
  };
  return type;
}

}  // namespace medretrieval::deep::networks
