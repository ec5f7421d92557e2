#include "torch/networks/script_module.hpp"

#include <torch/csrc/jit/runtime/graph_executor.h>

#include <algorithm>
#include <sstream>
#include <string>

#include "base/concat.hpp"
#include "torch/sizes_text.hpp"

namespace medretrieval::deep::networks {

using detail::fail;
using ::torch::Tensor;

namespace {

constexpr std::int64_t kMaximumDimension = 65'536;

/// What libtorch says, in one line.
std::string one_line(const std::exception& error) {
  const auto* own = dynamic_cast<const c10::Error*>(&error);
  std::string text = own != nullptr ? own->what_without_backtrace() : error.what();
  // The interpreter puts the reason last, after a trace of the module's code.
  const auto reason = text.rfind("RuntimeError: ");
  if (reason != std::string::npos) text.erase(0, reason + 14);
  text.resize(std::min(text.size(), std::min(text.find('\n'), std::size_t{300})));
  return text;
}

Tensor check(const c10::IValue& value, const Tensor& images) {
  constexpr const char* kExpected =
      "TorchScript module: expected rows x D or rows x D x height x width, got ";
  if (!value.isTensor()) fail(ErrorCode::invalid_argument, kExpected, value.tagKind());
  Tensor output = value.toTensor();
  const bool sizes = (output.dim() == 2 || output.dim() == 4) && output.size(0) == images.size(0) &&
                     output.numel() > 0 && output.size(1) <= kMaximumDimension;
  if (!sizes || !output.is_floating_point()) {
    fail(ErrorCode::invalid_argument, kExpected, sizes_text(output), " of ", output.dtype().name(), " for ",
         sizes_text(images));
  }
  if (!::torch::isfinite(output).all().item<bool>()) {
    fail(ErrorCode::invalid_argument, "TorchScript module: expected finite numbers, got NaN or infinity");
  }
  return output.to(images.dtype());
}

}  // namespace

ScriptModuleImpl::ScriptModuleImpl(std::span<const std::byte> bytes, bool trainable) : trainable_(trainable) {
  try {
    std::istringstream stream(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
    module_ = ::torch::jit::load(stream, ::torch::kCPU);
  } catch (const std::exception& error) {
    fail(ErrorCode::corrupt, "expected a TorchScript module as torch.jit.save writes it: ", one_line(error));
  }
  if (!module_.find_method("forward")) {
    fail(ErrorCode::corrupt, "TorchScript module: expected a method forward");
  }
  for (const auto& parameter : module_.parameters()) parameter.requires_grad_(trainable_);
  if (trainable_) register_weights();
  train(is_training());
}

void ScriptModuleImpl::register_weights() {
  const auto own_name = [](std::string name) {
    std::replace(name.begin(), name.end(), '.', '/');
    return name;
  };
  for (const auto& parameter : module_.named_parameters()) {
    register_parameter(own_name(parameter.name), parameter.value);
  }
  for (const auto& buffer : module_.named_buffers()) register_buffer(own_name(buffer.name), buffer.value);
}

Tensor ScriptModuleImpl::forward(const Tensor& images) {
  // Without the executor's rewriting, the first runs and the later ones give the same numbers.
  const ::torch::jit::GraphOptimizerEnabledGuard plain(false);
  const ::torch::AutoGradMode gradient(trainable_ && ::torch::GradMode::is_enabled());
  c10::IValue value;
  try {
    value = module_.forward({images});
  } catch (const std::exception& error) {
    fail(ErrorCode::invalid_argument, "TorchScript module: does not run on ", sizes_text(images), ": ",
         one_line(error));
  }
  return check(value, images);
}

std::int64_t ScriptModuleImpl::try_on(std::int64_t channels, std::int64_t side) {
  const ::torch::NoGradGuard guard;
  const bool training = is_training();
  eval();
  const auto output =
      forward(::torch::linspace(0, 1, 2 * channels * side * side).view({2, channels, side, side}));
  train(training);
  return output.size(1);
}

void ScriptModuleImpl::train(bool on) {
  Module::train(on);
  module_.train(on && trainable_);
}

void ScriptModuleImpl::to(::torch::Device device, ::torch::Dtype dtype, bool non_blocking) {
  Module::to(device, dtype, non_blocking);
  module_.to(device, dtype, non_blocking);
}

void ScriptModuleImpl::to(::torch::Dtype dtype, bool non_blocking) {
  Module::to(dtype, non_blocking);
  module_.to(dtype, non_blocking);
}

void ScriptModuleImpl::to(::torch::Device device, bool non_blocking) {
  Module::to(device, non_blocking);
  module_.to(device, non_blocking);
}

}  // namespace medretrieval::deep::networks
