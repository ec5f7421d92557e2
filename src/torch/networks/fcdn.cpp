// Paper 003 (Qin et al. 2019): a fully convolutional dense network. An encoder of nine convolutions and three dense
// blocks, a decoder back to the size of the image, and hash codes tapped at a shallow, the middle and a deep layer,
// whose Hamming distances are added (equation 22).
//
// Layers are counted from 0, as the paper's numbers need (its last encoder layer is 17). The paper's figure does not
// say in which order they stand; here:
//   0 1 pool, 2 3 pool, 4 5 pool          convolutions, the common part
//   6 7 8 dense, 9 pool                   a dense block of three BN-ReLU-Conv, then the convolution that gathers it
//   10 11 12 dense, 13 pool
//   14 15 16 dense, 17 pool               17 is the last of the encoder
//   18 ... 23                             a convolution after each of the six linear up-samplings
//   24 25                                 at full size; 25 is the last of the decoder
//   picture                               1 x 1, one channel
#include <torch/nn/functional.h>
#include <torch/nn/modules.h>

#include <array>
#include <map>
#include <string>

#include "base/option_values.hpp"
#include "torch/network.hpp"
#include "torch/networks/residual_network.hpp"
#include "torch/option_texts.hpp"

namespace medretrieval::deep::networks {

namespace {

namespace nn = ::torch::nn;

constexpr std::int64_t kShallowLayer = 4;
constexpr std::int64_t kMiddleLayer = 17;
constexpr std::int64_t kDeepLayer = 25;
constexpr int kBlocks = 3;
constexpr int kBlockLayers = 3;
constexpr int kHalvings = 6;

/// Which layers are hashed.
enum class Layers { joint, shallow, middle, deep };

const OptionTexts<Layers>& layer_choices() {
  static const OptionTexts<Layers> texts = {{"joint", Layers::joint},
                                            {"shallow", Layers::shallow},
                                            {"middle", Layers::middle},
                                            {"deep", Layers::deep}};
  return texts;
}

nn::Conv2d convolution(std::int64_t inputs, std::int64_t outputs, std::int64_t kernel) {
  return nn::Conv2d(nn::Conv2dOptions(inputs, outputs, kernel).padding(kernel / 2).bias(false));
}

/// "Same" convolution, batch normalization, ReLU.
nn::Sequential plain_layer(std::int64_t inputs, std::int64_t outputs, std::int64_t kernel = 3) {
  return nn::Sequential(convolution(inputs, outputs, kernel), nn::BatchNorm2d(outputs), nn::ReLU());
}

/// A layer of a dense block: it sees all that came before it in the block and adds `growth` channels.
nn::Sequential dense_layer(std::int64_t inputs, std::int64_t growth) {
  return nn::Sequential(nn::BatchNorm2d(inputs), nn::ReLU(), convolution(inputs, growth, 3));
}

class Fcdn final : public Network {
 public:
  Fcdn(const NetworkShape& shape, const Parameters& options)
      : choice_(layer_choices().at(options, "layers")),
        grid_(static_cast<std::int64_t>(detail::whole(options, "grid"))) {
    const auto width = static_cast<std::int64_t>(detail::whole(options, "width"));
    add_encoder(width, static_cast<std::int64_t>(detail::whole(options, "growth")));
    add_decoder(width);
    initialize_convolutions(*this);
    std::int64_t column = 0;
    const auto tap = [&](Layers choice, std::int64_t channels, const char* weight) {
      if (choice_ != Layers::joint && choice_ != choice) return;
      const std::int64_t columns = channels * grid_ * grid_;
      add_hash_slice(column, columns, static_cast<std::int64_t>(shape.bits),
                     static_cast<std::uint32_t>(detail::whole(options, weight)));
      column += columns;
    };
    tap(Layers::shallow, 4 * width, "weight_shallow");
    tap(Layers::middle, 8 * width, "weight_middle");
    tap(Layers::deep, 2 * width, "weight_deep");
    if (!detail::truth(options, "hash_bias")) remove_hash_bias();
    classifier_ = register_module("classifier", nn::Linear(column, static_cast<std::int64_t>(shape.classes)));
  }

  bool has_decoder() const override { return true; }

 private:
  void add(nn::Sequential layer) {
    const std::string name = "layer" + std::to_string(layers_.size());
    layers_.push_back(register_module(name, std::move(layer)));
  }

  void add_encoder(std::int64_t width, std::int64_t growth) {
    std::int64_t channels = 1;
    for (const std::int64_t outputs : {width, width, 2 * width, 2 * width, 4 * width, 4 * width}) {
      add(plain_layer(channels, outputs));
      channels = outputs;
    }
    for (int block = 0; block < kBlocks; ++block) {
      for (int i = 0; i < kBlockLayers; ++i) add(dense_layer(channels + i * growth, growth));
      const std::int64_t outputs = block + 1 < kBlocks ? 4 * width : 8 * width;
      add(plain_layer(channels + kBlockLayers * growth, outputs, 1));
      channels = outputs;
    }
  }

  void add_decoder(std::int64_t width) {
    std::int64_t channels = 8 * width;
    for (const std::int64_t outputs :
         {4 * width, 4 * width, 4 * width, 2 * width, 2 * width, width, width, 2 * width}) {
      add(plain_layer(channels, outputs));
      channels = outputs;
    }
    picture_ = register_module("picture", nn::Conv2d(nn::Conv2dOptions(channels, 1, 1)));
  }

  /// The paper's codes are sign(W x). The bias stays in the layer, zero and untrained, so that all hash layers are
  /// alike to those who store and serve them.
  void remove_hash_bias() {
    const ::torch::NoGradGuard guard;
    for (const auto& slice : hash_slices()) slice.layer->bias.zero_().requires_grad_(false);
  }

  NetworkOutput analyse(const Tensor& images) override {
    Tensor shallow;
    Tensor middle;
    const Tensor code = encode(images, shallow, middle);
    const Tensor deep = decode(code);
    NetworkOutput output;
    output.reconstruction = named("picture", picture_(deep));
    std::vector<Tensor> parts;
    if (choice_ == Layers::joint || choice_ == Layers::shallow) parts.push_back(pool(shallow));
    if (choice_ == Layers::joint || choice_ == Layers::middle) parts.push_back(pool(middle));
    if (choice_ == Layers::joint || choice_ == Layers::deep) parts.push_back(pool(deep));
    output.features = named("features", ::torch::cat(parts, 1));
    output.logits = classifier_(output.features);
    return output;
  }

  Tensor run(std::int64_t layer, const Tensor& input) {
    return named("layer" + std::to_string(layer), layers_[static_cast<std::size_t>(layer)]->forward(input));
  }

  /// What is left after six halvings.
  Tensor encode(const Tensor& images, Tensor& shallow, Tensor& middle) {
    Tensor values = images;
    std::int64_t layer = 0;
    int halvings = 0;
    const auto halve = [&] {
      values = named("pool" + std::to_string(++halvings), ::torch::max_pool2d(values, 2));
    };
    for (; layer < 6; ++layer) {
      values = run(layer, values);
      if (layer == kShallowLayer) shallow = values;
      if (layer % 2 == 1) halve();
    }
    for (int block = 0; block < kBlocks; ++block) {
      for (int i = 0; i < kBlockLayers; ++i) values = ::torch::cat({values, run(layer++, values)}, 1);
      values = run(layer++, values);
      if (layer == kMiddleLayer + 1) middle = values;
      halve();
    }
    return values;
  }

  /// The output of the deep layer.
  Tensor decode(const Tensor& code) {
    Tensor values = code;
    std::int64_t layer = kMiddleLayer + 1;
    for (int i = 0; i < kHalvings; ++i) {
      namespace functional = nn::functional;
      values = functional::interpolate(values, functional::InterpolateFuncOptions()
                                                   .scale_factor(std::vector<double>{2, 2})
                                                   .mode(::torch::kBilinear)
                                                   .align_corners(false));
      values = run(layer++, values);
    }
    for (; layer <= kDeepLayer; ++layer) values = run(layer, values);
    return values;
  }

  /// The mean of each channel in the cells of a grid laid over the image: rough places, as contours need them.
  Tensor pool(const Tensor& places) {
    return ::torch::adaptive_avg_pool2d(places, {grid_, grid_}).flatten(1);
  }

  Layers choice_;
  std::int64_t grid_;
  std::vector<nn::Sequential> layers_;
  nn::Conv2d picture_{nullptr};
  nn::Linear classifier_{nullptr};
};

}  // namespace

NetworkType fcdn_network() {
  NetworkType type;
  type.name = "fcdn";
  type.description =
      "fully convolutional dense network, codes of `bits` bits at each of three layers (Qin et al. 2019)";
  type.options = {
      {"layers", std::string("joint"), 0, 0, "that are hashed: " + layer_choices().names()},
      {"weight_shallow", std::int64_t{1}, 1, 255, "of the Hamming distance of layer 4"},
      {"weight_middle", std::int64_t{1}, 1, 255, "of the Hamming distance of layer 17"},
      {"weight_deep", std::int64_t{1}, 1, 255, "of the Hamming distance of layer 25"},
      {"width", std::int64_t{16}, 1, 512, "channels of the first convolution; the others are multiples"},
      {"growth", std::int64_t{16}, 1, 512, "channels that each layer of a dense block adds"},
      {"grid", std::int64_t{2}, 1, 16,
       "a tapped layer is averaged over the cells of a grid of so many a side"},
      {"hash_bias", false, 0, 0, "whether hash layers have a bias; the paper's have none"}};
  type.side = 64;
  type.side_multiple = 64;
  type.minimum_side = 64;
  // Beta 0.9 and 0.999 and epsilon 1e-8 are libtorch's own. Rate, decay, batch, epochs and lambda are not stated.
  type.plan.epochs = 50;
  type.plan.batch = 32;
  type.plan.optimizer = Optimizer::adamw;
  type.plan.learning_rate = 1e-3;
  type.plan.weight_decay = 1e-2;
  type.plan.objective.hashing = "fcdn-codes";  // target codes made from labels, equations 13 to 15
  type.plan.objective.reconstruction = 1;
  type.make = [](const NetworkShape& shape, const Parameters& options) -> std::shared_ptr<Network> {
    return std::make_shared<Fcdn>(shape, options);
  };
  return type;
}

}  // namespace medretrieval::deep::networks
