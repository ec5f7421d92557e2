#include "torch/device.hpp"

#include <torch/cuda.h>

#include "base/concat.hpp"

namespace medretrieval::deep {

::torch::Device device_named(const std::string& name) {
  try {
    const ::torch::Device device(name);
    if (device.is_cpu()) return device;
    if (device.is_cuda()) {
      const auto count = ::torch::cuda::device_count();
      const auto index = device.has_index() ? device.index() : 0;
      if (static_cast<std::size_t>(index) < count) return device;
      detail::fail(ErrorCode::unsupported, "device '", name, "': this libtorch sees ", count,
                   " CUDA devices");
    }
  } catch (const c10::Error&) {
    detail::fail(ErrorCode::invalid_argument, "expected a device such as cpu, cuda or cuda:1, got '", name,
                 "'");
  }
  detail::fail(ErrorCode::unsupported, "device '", name, "': only cpu and cuda are supported");
}

}  // namespace medretrieval::deep
