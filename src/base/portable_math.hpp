// exp and log from basic operations only. The C library picks its versions by processor, and they differ in
// the last bit; results that decide an order must not.
#pragma once

namespace medretrieval::detail {

/// Natural exponential, relative error below 1e-15; 0 below -745, infinity above 709.78.
double portable_exp(double x) noexcept;
/// Natural logarithm of a positive finite number, relative error below 1e-15.
double portable_log(double x) noexcept;
/// 1 / (1 + exp(-x)).
double portable_sigmoid(double x) noexcept;

}  // namespace medretrieval::detail
