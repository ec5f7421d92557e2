// Paper 001 (Hao et al. 2022): AlexNet's convolutions beside a bidirectional LSTM over the rows, attention after
// each, both fused, a fully connected layer, the hash layer, softmax.
#include <torch/nn/functional.h>
#include <torch/nn/init.h>
#include <torch/nn/modules.h>

#include "base/concat.hpp"
#include "base/option_values.hpp"
#include "torch/network.hpp"
#include "torch/networks/additive_attention.hpp"
#include "torch/networks/residual_network.hpp"
#include "torch/option_texts.hpp"

namespace medretrieval::deep::networks {

namespace {

namespace nn = ::torch::nn;

constexpr std::int64_t kHidden = 768;               // of the LSTM, in each direction: 1,536 together
constexpr std::int64_t kAttentionNodes = 768;       // of each attention layer
constexpr std::int64_t kConvolutionChannels = 256;  // of the last convolution

// Greys 0..1 are centred with round numbers; the paper does not say how.
constexpr double kMean = 0.5;
constexpr double kDeviation = 0.25;

/// How the two branches stand to each other (Table 2 of the paper).
enum class Form { parallel, cnn, bilstm, cnn_then_bilstm, bilstm_then_cnn };

const OptionTexts<Form>& forms() {
  static const OptionTexts<Form> texts = {{"parallel", Form::parallel},
                                          {"cnn", Form::cnn},
                                          {"bilstm", Form::bilstm},
                                          {"cnn-bilstm", Form::cnn_then_bilstm},
                                          {"bilstm-cnn", Form::bilstm_then_cnn}};
  return texts;
}

/// AlexNet's five convolutions with kernels and strides that leave 4 x 4 places of a 32 x 32 image; the
/// published strides would leave none.
nn::Sequential alexnet_convolutions(std::int64_t channels) {
  const auto convolution = [](std::int64_t in, std::int64_t out, std::int64_t kernel) {
    return nn::Conv2d(nn::Conv2dOptions(in, out, kernel).padding(kernel / 2));
  };
  const auto halve = [] { return nn::MaxPool2d(nn::MaxPool2dOptions(2)); };
  return nn::Sequential(convolution(channels, 64, 5), nn::ReLU(), halve(),  //
                        convolution(64, 192, 5), nn::ReLU(), halve(),       //
                        convolution(192, 384, 3), nn::ReLU(),               //
                        convolution(384, 256, 3), nn::ReLU(),               //
                        convolution(256, kConvolutionChannels, 3), nn::ReLU(), halve());
}

class AttentionCnnBilstm final : public Network {
 public:
  AttentionCnnBilstm(const NetworkShape& shape, const Parameters& options)
      : form_(forms().at(options, "form")),
        attention_(detail::truth(options, "attention")),
        side_(static_cast<std::int64_t>(shape.side)) {
    if (form_ == Form::bilstm_then_cnn && 2 * kHidden % side_ != 0) {
      detail::fail(ErrorCode::invalid_argument,
                   "network 'attention-cnn-bilstm': form 'bilstm-cnn' expects a side that divides ",
                   2 * kHidden, ", got ", side_);
    }
    const bool cnn = form_ != Form::bilstm;
    const bool bilstm = form_ != Form::cnn;
    const std::int64_t dimension = static_cast<std::int64_t>(detail::whole(options, "features"));
    if (cnn) {
      const std::int64_t channels = form_ == Form::bilstm_then_cnn ? 2 * kHidden / side_ : 1;
      convolutions_ = register_module("convolutions", alexnet_convolutions(channels));
    }
    if (bilstm) {
      const std::int64_t input = form_ == Form::cnn_then_bilstm ? kConvolutionChannels : side_;
      lstm_ = register_module(
          "lstm", nn::LSTM(nn::LSTMOptions(input, kHidden).batch_first(true).bidirectional(true)));
    }
    const bool ends_in_cnn = cnn && form_ != Form::cnn_then_bilstm;
    const bool ends_in_bilstm = bilstm && form_ != Form::bilstm_then_cnn;
    if (attention_ && ends_in_cnn) {
      cnn_attention_ =
          register_module("cnn_attention", AdditiveAttention(kConvolutionChannels, kAttentionNodes));
    }
    if (attention_ && ends_in_bilstm) {
      lstm_attention_ = register_module("lstm_attention", AdditiveAttention(2 * kHidden, kAttentionNodes));
    }
    const std::int64_t fused = (ends_in_cnn ? kConvolutionChannels : 0) + (ends_in_bilstm ? 2 * kHidden : 0);
    dropout_ = register_module("dropout", nn::Dropout(detail::real(options, "dropout")));
    fully_connected_ = register_module("fully_connected", nn::Linear(fused, dimension));
    // Without He's rule the five convolutions lose what differs between images, and learning stands still.
    initialize_convolutions(*this);
    nn::init::kaiming_normal_(fully_connected_->weight, 0, ::torch::kFanIn, ::torch::kReLU);
    add_hash_slice(0, dimension, static_cast<std::int64_t>(shape.bits));
    classifier_ = register_module("classifier", nn::Linear(static_cast<std::int64_t>(shape.bits),
                                                           static_cast<std::int64_t>(shape.classes)));
  }

  bool classifies_hash() const override { return true; }

 private:
  NetworkOutput analyse(const Tensor& grey) override {
    NetworkOutput output;
    const Tensor images = (grey - kMean) / kDeviation;
    std::vector<Tensor> parts;
    Tensor places;  // of the convolutions: rows x 256 x height x width
    if (form_ == Form::parallel || form_ == Form::cnn || form_ == Form::cnn_then_bilstm) {
      places = named("convolutions", convolutions_->forward(images));
    } else if (form_ == Form::bilstm_then_cnn) {
      // Each row's 1,536 values as channels of as many columns as the image has.
      const Tensor rows = run_lstm(images.squeeze(1));
      places = named("convolutions",
                     convolutions_->forward(rows.view({rows.size(0), side_, -1, side_}).transpose(1, 2)));
    }
    if (places.defined() && form_ != Form::cnn_then_bilstm) {
      parts.push_back(summarize_places(places, output.attention));
    }
    Tensor weights;
    if (form_ == Form::parallel || form_ == Form::bilstm) {
      parts.push_back(summarize_steps(run_lstm(images.squeeze(1)), weights));
      // Beside the places' map, that of the rows is not shown.
      if (weights.defined() && form_ == Form::bilstm) output.attention = weights.unsqueeze(2);
    } else if (form_ == Form::cnn_then_bilstm) {
      parts.push_back(summarize_steps(run_lstm(places.flatten(2).transpose(1, 2)), weights));
      if (weights.defined()) output.attention = weights.view({-1, places.size(2), places.size(3)});
    }
    output.features = ::torch::relu(fully_connected_(dropout_(named("fused", ::torch::cat(parts, 1)))));
    return output;
  }

  /// One vector of all places, weighted by attention or their mean.
  Tensor summarize_places(const Tensor& places, Tensor& attention) {
    const Tensor sequence = places.flatten(2).transpose(1, 2);
    if (!attention_) return sequence.mean(1);
    const auto [summary, weights] = cnn_attention_(sequence);
    attention = weights.view({-1, places.size(2), places.size(3)});
    return summary;
  }

  Tensor summarize_steps(const Tensor& steps, Tensor& attention) {
    if (!attention_) return steps.mean(1);
    const auto [summary, weights] = lstm_attention_(steps);
    attention = weights;
    return summary;
  }

  /// rows x steps x 1,536
  Tensor run_lstm(const Tensor& steps) { return named("lstm", std::get<0>(lstm_->forward(steps))); }

  Tensor classify_hash(const Tensor& hash, const Tensor& /*logits*/) override {
    return classifier_(::torch::sigmoid(hash));
  }

  Form form_;
  bool attention_;
  std::int64_t side_;
  nn::Sequential convolutions_{nullptr};
  nn::LSTM lstm_{nullptr};
  AdditiveAttention cnn_attention_{nullptr};
  AdditiveAttention lstm_attention_{nullptr};
  nn::Dropout dropout_{nullptr};
  nn::Linear fully_connected_{nullptr};
  nn::Linear classifier_{nullptr};
};

}  // namespace

NetworkType attention_cnn_bilstm_network() {
  NetworkType type;
  type.name = "attention-cnn-bilstm";
  type.description = "AlexNet beside a BiLSTM over rows, attention after each (Hao et al. 2022)";
  type.options = {{"form", std::string("parallel"), 0, 0,
                   "of the branches: " + forms().names() + " (the last two in series)"},
                  {"attention", true, 0, 0, "weigh places and rows by attention; false: their mean"},
                  {"features", std::int64_t{1024}, 8, 65536, "width of the fully connected layer"},
                  {"dropout", 0.5, 0, 0.95, "before the fully connected layer"}};
  type.side = 32;
  type.side_multiple = 32;
  type.minimum_side = 32;
  type.plan.epochs = 25;
  type.plan.batch = 32;
  type.plan.optimizer = Optimizer::adam;
  type.plan.learning_rate = 1e-3;  // not stated by the paper
  type.plan.weight_decay = 0.01;
  type.make = [](const NetworkShape& shape, const Parameters& options) -> std::shared_ptr<Network> {
    return std::make_shared<AttentionCnnBilstm>(shape, options);
  };
  return type;
}

}  // namespace medretrieval::deep::networks
