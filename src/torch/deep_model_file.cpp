// Network files: made, read and written.
#include <algorithm>
#include <medretrieval/torch/deep_model.hpp>

#include "base/concat.hpp"
#include "base/reading.hpp"
#include "io/section_file.hpp"
#include "model/network_sections.hpp"
#include "torch/deep_model_state.hpp"
#include "torch/device.hpp"
#include "torch/libtorch_errors.hpp"
#include "torch/network_file.hpp"
#include "torch/tensor_file.hpp"

namespace medretrieval::deep {

using detail::fail;
using detail::NetworkSection;

namespace {

/// The hash layers as the core takes them.
std::shared_ptr<const Encoder> head_of(const HashSlice& slice) {
  const Tensor weight = slice.layer->weight.detach().to(::torch::kCPU, ::torch::kFloat32).contiguous();
  const Tensor bias = slice.layer->bias.detach().to(::torch::kCPU, ::torch::kFloat32).contiguous();
  return make_hash_head(MatrixView(weight.data_ptr<float>(), static_cast<std::size_t>(weight.size(0)),
                                   static_cast<std::size_t>(weight.size(1))),
                        {bias.data_ptr<float>(), static_cast<std::size_t>(bias.size(0))});
}

/// Takes bytes for their checksum only.
class NoSink final : public io::ByteSink {
 public:
  void append(std::span<const std::byte>) override {}
  void patch(std::size_t, std::span<const std::byte>) override {}
};

bool shows_attention(Network& network, std::size_t side) {
  const ::torch::NoGradGuard no_gradient;
  const auto pixels = static_cast<std::int64_t>(side);
  return network.forward(::torch::zeros({1, 1, pixels, pixels})).attention.defined();
}

}  // namespace

std::shared_ptr<Network> make_network(const NetworkDescription& description, const Assets& assets) {
  return make_network(description.network,
                      NetworkShape{description.side, description.bits, description.labels.size()},
                      description.options, assets);
}

std::shared_ptr<const Encoder> encoder_of(const Network& network) {
  const auto& slices = network.hash_slices();
  if (slices.size() == 1) return head_of(slices.front());
  std::vector<JointSlice> joint;
  for (const auto& slice : slices) {
    joint.push_back({static_cast<std::size_t>(slice.first_column), head_of(slice), slice.weight});
  }
  return make_joint_encoder(std::move(joint));
}

DeepModel DeepModelBuilder::from_network(NetworkDescription description, std::shared_ptr<Network> network,
                                         std::shared_ptr<const ClassGate> gate) {
  auto state = std::make_shared<DeepModel::State>();
  network->to(::torch::kCPU);
  network->eval();
  put_channels_last(*network);
  state->has_attention = shows_attention(*network, description.side);
  state->encoder = encoder_of(*network);
  state->description = std::move(description);
  state->network = std::move(network);
  state->gate = std::move(gate);
  DeepModel model(std::move(state));
  NoSink sink;
  const Fingerprint fingerprint =
      write_network_file(sink, {model.description(), model.encoder(), model.gate(),
                                tensors_of(*model.state_->network), model.state_->network->assets()});
  const_cast<DeepModel::State&>(*model.state_).fingerprint = fingerprint;
  return model;
}

DeepModel DeepModel::load(const std::filesystem::path& file, const std::string& device) {
  const ::torch::Device place = device_named(device);
  return translated(file.string(), [&] {
    return detail::reading(file.string(), [&] {
      const auto sections = io::SectionFile::map(file);
      const NetworkHead head = detail::read_network_head(sections);
      auto state = std::make_shared<State>();
      state->description = head.description;
      state->encoder = head.encoder;
      state->gate = head.gate;
      state->fingerprint = head.fingerprint;
      const Assets assets = read_assets(*sections);
      if (network_type(head.description.network).restore && assets.empty()) {
        sections->corrupt("it lacks the module of its network");
      }
      state->network = make_network(head.description, assets);
      set_tensors(*state->network,
                  read_tensors(*sections, NetworkSection::tensor_index, NetworkSection::tensor_data));
      if (encoder_of(*state->network)->fingerprint() != head.encoder->fingerprint()) {
        sections->corrupt("its hash layer and its encoder differ");
      }
      state->network->eval();
      put_channels_last(*state->network);
      state->has_attention = shows_attention(*state->network, head.description.side);
      state->device = place;
      state->network->to(place);
      return DeepModel(std::move(state));
    });
  });
}

void DeepModel::save(const std::filesystem::path& file) const {
  io::FileSink sink(file);
  write_network_file(
      sink, {description(), encoder(), gate(), tensors_of(*state_->network), state_->network->assets()});
  sink.publish();
}

}  // namespace medretrieval::deep
