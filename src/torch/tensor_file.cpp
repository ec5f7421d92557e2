#include "torch/tensor_file.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/concat.hpp"

namespace medretrieval::deep {

namespace {

using Json = nlohmann::ordered_json;
using detail::fail;

constexpr std::size_t kMaxTensors = 100'000;
constexpr std::size_t kMaxDimensions = 8;

struct ElementType {
  const char* name;
  ::torch::ScalarType type;
  std::size_t bytes;
};
constexpr std::array<ElementType, 3> kTypes = {
    {{"float32", ::torch::kFloat32, 4}, {"int64", ::torch::kInt64, 8}, {"uint8", ::torch::kUInt8, 1}}};

const ElementType& type_of(const Tensor& tensor, const std::string& name) {
  for (const auto& each : kTypes) {
    if (each.type == tensor.scalar_type()) return each;
  }
  fail(ErrorCode::unsupported, "tensor '", name, "': expected float32, int64 or uint8, got ",
       ::torch::toString(tensor.scalar_type()));
}

/// Bytes of a tensor of that shape; nothing when it is larger than `limit`.
std::optional<std::size_t> bytes_of(const std::vector<std::int64_t>& shape, std::size_t element,
                                    std::size_t limit) {
  std::size_t bytes = element;
  for (const auto side : shape) {
    if (side < 0) return std::nullopt;
    if (side > 0 && bytes > limit / static_cast<std::size_t>(side)) return std::nullopt;
    bytes *= static_cast<std::size_t>(side);
  }
  return bytes <= limit ? std::optional(bytes) : std::nullopt;
}

Tensor read_tensor(const Json& entry, std::span<const std::byte> data, const std::string& where) {
  const auto type = entry.at("type").get<std::string>();
  const auto shape = entry.at("shape").get<std::vector<std::int64_t>>();
  const auto offset = entry.at("offset").get<std::size_t>();
  const auto found =
      std::find_if(kTypes.begin(), kTypes.end(), [&](const ElementType& each) { return type == each.name; });
  if (found == kTypes.end() || shape.size() > kMaxDimensions || offset > data.size()) {
    fail(ErrorCode::corrupt, where, ": a type '", type, "' or a place that cannot be");
  }
  const auto bytes = bytes_of(shape, found->bytes, data.size() - offset);
  if (!bytes)
    fail(ErrorCode::corrupt, where, ": it reaches beyond the ", data.size(), " bytes of the file's tensors");
  Tensor tensor = ::torch::empty(shape, ::torch::TensorOptions().dtype(found->type));
  if (*bytes != 0) std::memcpy(tensor.data_ptr(), data.data() + offset, *bytes);
  return tensor;
}

}  // namespace

NamedTensors tensors_of(const Network& network) {
  NamedTensors tensors;
  const auto keep = [&](const std::string& name, const Tensor& tensor) {
    if (tensor.defined())
      tensors[name] = tensor.detach().to(::torch::kCPU, /*non_blocking=*/false, /*copy=*/true).contiguous();
  };
  for (const auto& item : network.named_parameters()) keep(item.key(), item.value());
  for (const auto& item : network.named_buffers()) keep(item.key(), item.value());
  return tensors;
}

std::optional<std::string> name_of_tensor_not_finite(const Network& network) {
  const auto is_finite = [](const Tensor& tensor) {
    return !tensor.is_floating_point() || ::torch::isfinite(tensor).all().item<bool>();
  };
  for (const auto& item : network.named_parameters()) {
    if (!is_finite(item.value())) return item.key();
  }
  for (const auto& item : network.named_buffers()) {
    if (item.value().defined() && !is_finite(item.value())) return item.key();
  }
  return std::nullopt;
}

void set_tensors(Network& network, const NamedTensors& tensors) {
  ::torch::NoGradGuard no_gradient;
  std::map<std::string, Tensor> own;
  for (const auto& item : network.named_parameters()) own[item.key()] = item.value();
  for (const auto& item : network.named_buffers()) own[item.key()] = item.value();
  for (const auto& [name, tensor] : own) {
    const auto found = tensors.find(name);
    if (found == tensors.end()) fail(ErrorCode::incompatible, "the weights lack the tensor '", name, "'");
    if (found->second.sizes() != tensor.sizes()) {
      fail(ErrorCode::incompatible, "tensor '", name, "': expected the shape ", tensor.sizes(), ", got ",
           found->second.sizes());
    }
  }
  for (const auto& [name, tensor] : tensors) {
    if (!own.contains(name)) fail(ErrorCode::incompatible, "the network has no tensor '", name, "'");
  }
  for (auto& [name, tensor] : own) tensor.copy_(tensors.at(name));
}

TensorBytes to_bytes(const NamedTensors& tensors) {
  TensorBytes bytes;
  Json index = Json::array();
  for (const auto& [name, tensor] : tensors) {
    const auto& type = type_of(tensor, name);
    const Tensor flat = tensor.contiguous();
    index.push_back(
        {{"name", name}, {"type", type.name}, {"shape", flat.sizes().vec()}, {"offset", bytes.data.size()}});
    const auto* first = static_cast<const std::byte*>(flat.data_ptr());
    bytes.data.insert(bytes.data.end(), first, first + flat.nbytes());
  }
  bytes.index = index.dump();
  return bytes;
}

NamedTensors from_bytes(std::span<const std::byte> index, std::span<const std::byte> data,
                        const std::string& name) {
  const Json json = Json::parse(reinterpret_cast<const char*>(index.data()),
                                reinterpret_cast<const char*>(index.data()) + index.size(), nullptr, false);
  if (!json.is_array() || json.size() > kMaxTensors) {
    fail(ErrorCode::corrupt, name, ": expected an index of at most ", kMaxTensors, " tensors");
  }
  NamedTensors tensors;
  std::size_t total = 0;  // so that a small file cannot ask for much memory by naming the same bytes often
  try {
    for (const auto& entry : json) {
      const auto key = entry.at("name").get<std::string>();
      const auto where = detail::concat(name, ": tensor '", key, "'");
      if (!tensors.emplace(key, read_tensor(entry, data, where)).second) {
        fail(ErrorCode::corrupt, where, ": it is there twice");
      }
      total += tensors.at(key).nbytes();
      if (total > data.size()) {
        fail(ErrorCode::corrupt, where, ": its tensors claim more than the ", data.size(),
             " bytes of the file's");
      }
    }
  } catch (const nlohmann::json::exception& error) {
    fail(ErrorCode::corrupt, name, ": index of tensors: ", error.what());
  }
  return tensors;
}

}  // namespace medretrieval::deep
