#include "base/portable_math.hpp"

#include <cmath>
#include <limits>

namespace medretrieval::detail {

namespace {
constexpr double kLn2High = 6.93147180369123816490e-01;  // ln 2 = high + low, high with 32 trailing zero bits
constexpr double kLn2Low = 1.90821492927058770002e-10;
}  // namespace

double portable_exp(double x) noexcept {
  if (std::isnan(x)) return x;
  if (x > 709.78) return std::numeric_limits<double>::infinity();
  if (x < -745) return 0;
  const double n = std::nearbyint(x / (kLn2High + kLn2Low));
  const double r = (x - n * kLn2High) - n * kLn2Low;  // |r| <= ln 2 / 2
  double sum = 1;                                     // Taylor series by Horner's rule, 18 terms
  for (int k = 18; k >= 1; --k) sum = 1 + sum * r / k;
  return std::ldexp(sum, static_cast<int>(n));
}

double portable_log(double x) noexcept {
  if (std::isnan(x) || x < 0) return std::numeric_limits<double>::quiet_NaN();
  if (x == 0) return -std::numeric_limits<double>::infinity();
  if (std::isinf(x)) return x;
  int exponent = 0;
  double m = std::frexp(x, &exponent);  // [0.5, 1)
  if (m < 0.70710678118654752) {
    m *= 2;
    --exponent;
  }
  const double s = (m - 1) / (m + 1);  // ln m = 2 artanh s, |s| <= 0.1716
  const double square = s * s;
  double series = 0;
  for (int k = 23; k >= 1; k -= 2) series = series * square + 1.0 / k;
  return exponent * kLn2High + (2 * s * series + exponent * kLn2Low);
}

double portable_sigmoid(double x) noexcept {
  return 1 / (1 + portable_exp(-x));
}

}  // namespace medretrieval::detail
