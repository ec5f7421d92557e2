// Sizes of a tensor in messages.
#pragma once

#include <torch/types.h>

#include <string>

namespace medretrieval::deep {

/// For example "3 x 224 x 224".
inline std::string sizes_text(const ::torch::Tensor& tensor) {
  std::string text;
  for (const auto size : tensor.sizes()) text += (text.empty() ? "" : " x ") + std::to_string(size);
  return text.empty() ? "a single number" : text;
}

}  // namespace medretrieval::deep
