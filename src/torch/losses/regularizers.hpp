// Terms over the relaxed codes of a batch, rows x bits, that several losses share. All are scalars; sums over
// bits are means over rows.
#pragma once

#include <torch/types.h>

namespace medretrieval::deep::losses {

using ::torch::Tensor;

/// The codes as served: 1 where above 0, else -1. Without gradient.
Tensor binary(const Tensor& codes);

/// |u - b|^2 with b = binary(u): summed over bits, mean over rows.
Tensor quantization_error(const Tensor& codes);

/// | |u| - 1 |_1: summed over bits, mean over rows.
Tensor magnitude_error(const Tensor& codes);

/// The squared mean of each bit over the rows, summed over bits: 0 where every bit is as often 1 as -1.
Tensor bit_imbalance(const Tensor& codes);

/// The variance of each bit over the rows (divided by their number), summed over bits.
Tensor bit_variance(const Tensor& codes);

/// |WW' - I|^2, squared Frobenius norm: 0 where the rows of W are at right angles and of length 1.
/// \param weights bits x features
Tensor orthogonality_error(const Tensor& weights);

}  // namespace medretrieval::deep::losses
