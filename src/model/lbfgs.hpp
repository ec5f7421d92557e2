// Limited-memory BFGS (Nocedal 1980) with a backtracking line search.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace medretrieval::detail {

/// Value of a smooth function at x; writes its gradient.
using Objective = std::function<double(const std::vector<double>& x, std::vector<double>& gradient)>;

struct Minimum {
  std::vector<double> x;
  double value = 0;
  double gradient_norm = 0;
  std::size_t iterations = 0;
};

/// Minimises from `start` until the gradient's Euclidean norm falls below `tolerance`, no step helps, or
/// `iterations` are done. `after_iteration` may throw to give up.
Minimum minimize_lbfgs(const Objective& objective, std::vector<double> start, std::size_t iterations,
                       double tolerance, const std::function<void()>& after_iteration = {});

}  // namespace medretrieval::detail
