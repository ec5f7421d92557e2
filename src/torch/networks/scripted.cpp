// A backbone from outside: a TorchScript module, its pooled output hashed and classified by layers of our own.
#include <torch/nn/functional.h>
#include <torch/script.h>

#include <charconv>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "base/concat.hpp"
#include "base/option_values.hpp"
#include "io/files.hpp"
#include "torch/network.hpp"
#include "torch/networks/class_activation.hpp"
#include "torch/networks/script_module.hpp"

namespace medretrieval::deep::networks {

namespace {

namespace nn = ::torch::nn;
using detail::fail;

constexpr const char* kAsset = "module";
constexpr std::size_t kMaximumBytes = std::size_t{4} << 30;

/// "0.5" or "0.485,0.456,0.406": a number for each channel, or one for all.
Tensor parse_channels(const Parameters& options, const std::string& name, std::int64_t channels,
                      const std::string& imagenet, const std::string& neutral) {
  std::string text = detail::text(options, name);
  if (text.empty()) text = channels == 3 ? imagenet : neutral;
  std::vector<float> values;
  const char* const end = text.data() + text.size();
  for (const char* begin = text.data(); begin <= end;) {
    float value = 0;
    const auto [stop, error] = std::from_chars(begin, end, value);
    if (error != std::errc{} || (stop != end && *stop != ',') || !std::isfinite(value)) {
      fail(ErrorCode::invalid_argument, "option '", name, "': expected numbers separated by commas, got '",
           text, "'");
    }
    values.push_back(value);
    begin = stop + 1;
  }
  if (values.size() == 1) values.resize(static_cast<std::size_t>(channels), values.front());
  if (values.size() != static_cast<std::size_t>(channels)) {
    fail(ErrorCode::invalid_argument, "option '", name, "': expected one number or ", channels, ", got ",
         values.size());
  }
  return ::torch::tensor(values).view({1, channels, 1, 1});
}

class Scripted final : public Network {
 public:
  Scripted(const NetworkShape& shape, const Parameters& options, std::vector<std::byte> module)
      : trainable_(detail::truth(options, "trainable")) {
    const auto channels = static_cast<std::int64_t>(detail::whole(options, "channels"));
    if (channels == 2) fail(ErrorCode::invalid_argument, "option 'channels': expected 1 or 3, got 2");
    mean_ = register_buffer("mean", parse_channels(options, "mean", channels, "0.485,0.456,0.406", "0"));
    deviation_ = register_buffer("standard_deviation", parse_channels(options, "standard_deviation", channels,
                                                                      "0.229,0.224,0.225", "1"));
    if (!(deviation_ > 0).all().item<bool>()) {
      fail(ErrorCode::invalid_argument, "option 'standard_deviation': expected numbers above 0");
    }
    backbone_ = register_module("backbone", ScriptModule(module, trainable_));
    assets_[kAsset] = std::move(module);
    const std::int64_t dimension = backbone_->try_on(channels, static_cast<std::int64_t>(shape.side));
    add_hash_slice(0, dimension, static_cast<std::int64_t>(shape.bits));
    classifier_ =
        register_module("classifier", nn::Linear(dimension, static_cast<std::int64_t>(shape.classes)));
  }

  const Assets& assets() const override { return assets_; }
  bool has_fixed_features() const override { return !trainable_; }

 private:
  NetworkOutput analyse(const Tensor& images) override {
    NetworkOutput output;
    const Tensor values = backbone_->forward((images - mean_) / deviation_);
    output.features = named("pooled", values.dim() == 4 ? values.mean({2, 3}) : values);
    output.logits = classify_features(output.features);
    if (values.dim() == 4) {
      output.attention = predicted_class_map(values, classifier_->weight, output.logits);
    }
    return output;
  }

  Tensor classify_features(const Tensor& features) override { return classifier_(features); }

  bool trainable_;
  Assets assets_;
  Tensor mean_;
  Tensor deviation_;
  ScriptModule backbone_{nullptr};
  nn::Linear classifier_{nullptr};
};

std::vector<std::byte> read_module(const Parameters& options) {
  const auto& file = detail::text(options, "file");
  if (file.empty()) {
    fail(ErrorCode::invalid_argument, "network 'scripted': expected option 'file', a TorchScript module");
  }
  return io::read_file(file, kMaximumBytes);
}

}  // namespace

NetworkType scripted_network() {
  NetworkType type;
  type.name = "scripted";
  type.description =
      "a TorchScript module from outside as backbone; hash layer and linear classifier on its output";
  type.options = {
      {"file", std::string(), 0, 0, "the module; it is code, so take it only from where you trust"},
      {"channels", std::int64_t{3}, 1, 3, "that it expects: 1, or 3 (grey repeated)"},
      {"mean", std::string(), 0, 0,
       "subtracted from 0..1, for each channel or all; empty: ImageNet's for 3, else 0"},
      {"standard_deviation", std::string(), 0, 0,
       "divides after that; empty: ImageNet's for 3 channels, else 1"},
      {"trainable", false, 0, 0, "whether the module's own weights learn"}};
  type.side = 224;
  type.minimum_side = 16;
  // A head on features that stay as they are: seconds.
  type.plan.epochs = 50;
  type.plan.batch = 64;
  type.plan.optimizer = Optimizer::adam;
  type.plan.learning_rate = 1e-3;
  type.plan.weight_decay = 1e-4;
  type.plan.objective.hashing = "csq";
  type.make = [](const NetworkShape& shape, const Parameters& options) -> std::shared_ptr<Network> {
    try {
      return std::make_shared<Scripted>(shape, options, read_module(options));
    } catch (const Error& error) {
      throw Error(error.code(), detail::concat("network 'scripted', file '", detail::text(options, "file"),
                                               "': ", error.what()));
    }
  };
  type.restore = [](const NetworkShape& shape, const Parameters& options,
                    const Assets& assets) -> std::shared_ptr<Network> {
    const auto module = assets.find(kAsset);
    if (module == assets.end()) {
      fail(ErrorCode::corrupt, "network 'scripted': expected an asset '", kAsset, "', got none of that name");
    }
    return std::make_shared<Scripted>(shape, options, module->second);
  };
  return type;
}

}  // namespace medretrieval::deep::networks
