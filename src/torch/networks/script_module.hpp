// A TorchScript module inside a network: its weights seen as the network's where they learn, its refusals as Errors.
#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>
#include <torch/script.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace medretrieval::deep::networks {

class ScriptModuleImpl : public ::torch::nn::Module {
 public:
  /// \param bytes a TorchScript archive as torch.jit.save writes it
  /// \param trainable its parameters and buffers become those of this module, under their names with '/' for '.';
  ///        else it stays in evaluation mode and carries no gradient
  /// \throws Error (corrupt) for bytes that are no such archive.
  ScriptModuleImpl(std::span<const std::byte> bytes, bool trainable);

  /// \return rows x D or rows x D x height x width
  /// \throws Error (invalid_argument) when it does not run, gives something else or a value that is not finite.
  ::torch::Tensor forward(const ::torch::Tensor& images);

  /// Runs it on two made-up images.
  /// \return D
  /// \throws Error as forward()
  std::int64_t try_on(std::int64_t channels, std::int64_t side);

  void train(bool on = true) override;
  void to(::torch::Device device, ::torch::Dtype dtype, bool non_blocking = false) override;
  void to(::torch::Dtype dtype, bool non_blocking = false) override;
  void to(::torch::Device device, bool non_blocking = false) override;

 private:
  void register_weights();

  ::torch::jit::Module module_;
  bool trainable_;
};
TORCH_MODULE(ScriptModule);

}  // namespace medretrieval::deep::networks
