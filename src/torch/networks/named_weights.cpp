#include "torch/networks/named_weights.hpp"

#include <torch/csrc/jit/serialization/pickle.h>
#include <torch/types.h>

#include <limits>
#include <map>

#include "base/concat.hpp"
#include "io/files.hpp"
#include "torch/sizes_text.hpp"

namespace medretrieval::deep {

namespace {

using detail::fail;

constexpr std::size_t kMaximumBytes = std::size_t{4} << 30;

/// Whether all elements lie in the tensor's storage, which the file's own words about it do not make sure.
bool lies_in_storage(const Tensor& tensor) {
  if (tensor.numel() == 0) return true;
  std::int64_t last = tensor.storage_offset();
  if (last < 0) return false;
  for (std::int64_t i = 0; i < tensor.dim(); ++i) {
    const std::int64_t steps = tensor.size(i) - 1;
    if (tensor.stride(i) < 0) return false;
    if (steps > 0 && tensor.stride(i) > (std::numeric_limits<std::int64_t>::max() - last) / steps)
      return false;
    last += steps * tensor.stride(i);
  }
  return tensor.has_storage() &&
         static_cast<std::size_t>(last) < tensor.storage().nbytes() / tensor.dtype().itemsize();
}

std::map<std::string, Tensor> read_tensors(const std::filesystem::path& file) {
  const auto bytes = io::read_file(file, kMaximumBytes);
  const auto* begin = reinterpret_cast<const char*>(bytes.data());
  std::map<std::string, Tensor> tensors;
  try {
    const auto value = ::torch::jit::pickle_load(std::vector<char>(begin, begin + bytes.size()));
    for (const auto& entry : value.toGenericDict()) {
      if (entry.value().isTensor()) tensors.emplace(entry.key().toStringRef(), entry.value().toTensor());
    }
  } catch (const std::exception& /*of libtorch, with a trace of its code*/) {
    fail(ErrorCode::corrupt, file.string(),
         ": expected weights as torch.save(dict(model.state_dict()), file) writes them");
  }
  return tensors;
}

/// Every parameter and buffer of the backbone.
std::map<std::string, Tensor> targets_of(const Network& network) {
  std::map<std::string, Tensor> targets;
  for (const auto& child : network.named_children()) {
    if (child.key() != "backbone") continue;
    for (const auto& parameter : child.value()->named_parameters())
      targets[parameter.key()] = parameter.value();
    for (const auto& buffer : child.value()->named_buffers()) targets[buffer.key()] = buffer.value();
  }
  if (targets.empty()) {
    fail(ErrorCode::unsupported, "this network has no backbone that takes weights by name");
  }
  return targets;
}

/// Only a counter, and left out by old versions.
bool may_be_missing(const std::string& name) {
  return name.ends_with("num_batches_tracked");
}

void check(const std::filesystem::path& file, const std::string& name, const Tensor& source,
           const Tensor& target) {
  if (source.sizes() != target.sizes()) {
    fail(ErrorCode::incompatible, file.string(), ": expected '", name, "' of ", sizes_text(target), ", got ",
         sizes_text(source));
  }
  if (source.layout() != ::torch::kStrided || source.is_quantized() || !source.device().is_cpu() ||
      source.is_floating_point() != target.is_floating_point() || !lies_in_storage(source)) {
    fail(ErrorCode::corrupt, file.string(), ": '", name, "' is no plain array of numbers");
  }
  if (!::torch::isfinite(source).all().item<bool>()) {
    fail(ErrorCode::corrupt, file.string(), ": '", name, "' holds NaN or infinity");
  }
}

}  // namespace

std::vector<std::string> load_backbone_weights(Network& network, const std::filesystem::path& file) {
  const auto targets = targets_of(network);
  const auto sources = read_tensors(file);
  for (const auto& [name, target] : targets) {
    const auto source = sources.find(name);
    if (source != sources.end()) {
      check(file, name, source->second, target);
    } else if (!may_be_missing(name)) {
      fail(ErrorCode::incompatible, file.string(), ": expected weights named '", name,
           "', got none of that name");
    }
  }
  const ::torch::NoGradGuard guard;
  std::vector<std::string> unused;
  for (const auto& [name, source] : sources) {
    const auto target = targets.find(name);
    if (target == targets.end()) {
      unused.push_back(name);
    } else {
      Tensor(target->second).copy_(source);
    }
  }
  return unused;
}

}  // namespace medretrieval::deep
