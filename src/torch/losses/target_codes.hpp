// Codes that are given to classes before training, for losses that draw every row to one of them.
#pragma once

#include <torch/types.h>

#include <cstdint>

namespace medretrieval::deep::losses {

using ::torch::Tensor;

/// classes x bits of -1 and 1, float32: rows of the Hadamard matrix of Sylvester, then their complements. Two
/// codes differ in bits / 2 bits, a code and its complement in all.
/// \param bits a power of two
/// \param classes at most 2 bits
Tensor hadamard_codes(std::int64_t classes, std::int64_t bits);

/// classes x bits of -1 and 1, float32, each bit drawn with probability 1/2. A code is drawn anew until it
/// differs from all before in a least number of bits; that begins at bits / 2 and falls by one after every
/// 200 vain draws. All codes differ.
/// \throws Error (invalid_argument) for more classes than half of all codes.
Tensor separated_codes(std::int64_t classes, std::int64_t bits, std::uint64_t seed);

/// One code for each set of labels: that of the label, or for several labels the sign of the sum of their
/// codes, with ties broken by a code drawn once.
class TargetCodes {
 public:
  /// \param class_codes classes x bits of -1 and 1
  TargetCodes(Tensor class_codes, std::uint64_t seed);

  /// rows x bits of -1 and 1, of the dtype and device of the labels. Rows without a label get the code that
  /// breaks ties.
  Tensor of(const Tensor& labels) const;

 private:
  Tensor class_codes_;
  Tensor tie_code_;
};

/// The mean of rows x bits costs over the bits of rows that have a label; 0 where none has.
Tensor mean_over_labelled(const Tensor& costs, const Tensor& labels);

}  // namespace medretrieval::deep::losses
