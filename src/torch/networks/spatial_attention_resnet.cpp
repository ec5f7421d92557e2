// Paper 004 (chest X-rays, 2023): a residual network, its feature refined as it is (global) and after spatial
// attention (local), both fused, a fully connected layer, the hash layer.
#include <torch/nn/functional.h>

#include "base/option_values.hpp"
#include "torch/networks/residual_network.hpp"
#include "torch/networks/spatial_attention.hpp"
#include "torch/option_texts.hpp"

namespace medretrieval::deep::networks {

namespace {

namespace nn = ::torch::nn;

constexpr std::int64_t kBranchFeatures = 256;  // of the refined global and of the refined local feature

/// Which features are hashed (Table 5 of the paper).
enum class Branch { fused, local, global };

const OptionTexts<Branch>& branches() {
  static const OptionTexts<Branch> texts = {
      {"fused", Branch::fused}, {"local", Branch::local}, {"global", Branch::global}};
  return texts;
}

/// A residual block and 3 x 3 average pooling; then the mean over places, since the paper has 256 values for each
/// branch at any image size. Places beyond the border do not count.
class RefinementImpl : public nn::Module {
 public:
  explicit RefinementImpl(std::int64_t channels)
      : block_(register_module("block", ResidualBlock(channels, kBranchFeatures, 1, false))) {
    initialize_convolutions(*this);
  }
  Tensor forward(const Tensor& places) {
    return ::torch::avg_pool2d(block_(places), 3, 1, 1, false, false).mean({2, 3});
  }

 private:
  ResidualBlock block_;
};
TORCH_MODULE(Refinement);

class SpatialAttentionResnet final : public Network {
 public:
  SpatialAttentionResnet(const NetworkShape& shape, std::int64_t depth, const Parameters& options)
      : branch_(branches().at(options, "branch")),
        backbone_(register_module("backbone", ResidualNetwork(depth, static_cast<std::int64_t>(detail::whole(
                                                                         options, "stages"))))) {
    const std::int64_t features = static_cast<std::int64_t>(detail::whole(options, "features"));
    if (branch_ != Branch::local) {
      global_ = register_module("global_refinement", Refinement(backbone_->channels()));
    }
    if (branch_ != Branch::global) {
      attention_ = register_module(
          "attention",
          SpatialAttention(parse_descriptors(detail::text(options, "descriptors")),
                           static_cast<std::int64_t>(detail::whole(options, "attention_nodes"))));
      local_ = register_module("local_refinement", Refinement(backbone_->channels()));
    }
    const std::int64_t fused = branch_ == Branch::fused ? 2 * kBranchFeatures : kBranchFeatures;
    fully_connected_ = register_module("fully_connected", nn::Linear(fused, features));
    const auto bits = static_cast<std::int64_t>(shape.bits);
    add_hash_slice(0, features, bits);
    classifier_ = register_module("classifier", nn::Linear(bits, static_cast<std::int64_t>(shape.classes)));
  }

  bool classifies_hash() const override { return true; }

 private:
  NetworkOutput analyse(const Tensor& images) override {
    NetworkOutput output;
    const Tensor places = backbone_->forward(images, observer());
    std::vector<Tensor> parts;
    if (!global_.is_empty()) parts.push_back(named("global", global_(places)));
    if (!local_.is_empty()) {
      const auto [attended, map] = attention_(places);
      parts.push_back(named("local", local_(attended)));
      named("attention", map);
      // What of each place enters the local feature. The map alone says nothing where its tanh is saturated.
      output.attention = attended.detach().abs().mean(1);
    }
    output.features = ::torch::relu(fully_connected_(named("fused", ::torch::cat(parts, 1))));
    return output;
  }

  /// The paper adds the cross-entropy so that codes keep the classes: it stands on the hash layer.
  Tensor classify_hash(const Tensor& hash, const Tensor& /*logits*/) override { return classifier_(hash); }

  Branch branch_;
  ResidualNetwork backbone_;
  Refinement global_{nullptr};
  Refinement local_{nullptr};
  SpatialAttention attention_{nullptr};
  nn::Linear fully_connected_{nullptr};
  nn::Linear classifier_{nullptr};
};

NetworkType spatial_attention_resnet(std::int64_t depth, std::int64_t stages, std::size_t side) {
  NetworkType type;
  type.description =
      "ResNet-" + std::to_string(depth) +
      " with three-descriptor spatial attention, local and global features (chest X-rays, 2023)";
  type.options = {
      {"branch", std::string("fused"), 0, 0, "what is hashed: " + branches().names()},
      {"descriptors", std::string("max+mean+pool"), 0, 0, "of a place: any of max, mean, pool joined by +"},
      {"stages", stages, 1, 4, "of the backbone before the attention; it sees side / 2^(stages + 1) places"},
      {"attention_nodes", std::int64_t{16}, 1, 4096, "hidden layer of the perceptron of the attention"},
      {"features", std::int64_t{256}, 8, 65536, "width of the fully connected layer"}};
  type.side = side;
  type.minimum_side = 32;
  type.plan.epochs = 50;
  type.plan.batch = 64;
  type.plan.optimizer = Optimizer::sgd;
  type.plan.momentum = 0.9;
  type.plan.learning_rate = 0.01;
  type.plan.decay_epochs = 20;
  type.plan.decay_factor = 0.1;
  type.plan.weight_decay = 1e-4;
  type.plan.objective.hashing = "contrastive";
  type.plan.objective.hashing_parameters = {{"alpha", 0.5}};
  type.plan.objective.hashing_weight = 1;
  type.plan.objective.classification = 0.5;  // beta
  type.make = [depth](const NetworkShape& shape, const Parameters& options) -> std::shared_ptr<Network> {
    return std::make_shared<SpatialAttentionResnet>(shape, depth, options);
  };
  return type;
}

}  // namespace

NetworkType spatial_attention_resnet_network() {
  // The paper's backbone; it states neither the size of its images (224, as for ImageNet's weights) nor the
  // stage that the attention looks at (the last).
  NetworkType type = spatial_attention_resnet(50, 4, 224);
  type.name = "spatial-attention-resnet";
  return type;
}

NetworkType spatial_attention_resnet18_network() {
  // Small: attention after the third stage, where 64 x 64 pixels still are 4 x 4 places.
  NetworkType type = spatial_attention_resnet(18, 3, 64);
  type.name = "spatial-attention-resnet18";
  return type;
}

}  // namespace medretrieval::deep::networks
