#include "model/lbfgs.hpp"

#include <cmath>
#include <deque>

namespace medretrieval::detail {

namespace {

constexpr std::size_t kMemory = 10;

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

void add_scaled(std::vector<double>& a, double scale, const std::vector<double>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] += scale * b[i];
}

/// One remembered step and the change of gradient over it.
struct Update {
  std::vector<double> step;
  std::vector<double> gradient_change;
  double curvature;  // their dot product, above 0
};

/// Minus the inverse Hessian estimate times the gradient: the two-loop recursion.
std::vector<double> descent_direction(const std::deque<Update>& updates,
                                      const std::vector<double>& gradient) {
  std::vector<double> direction = gradient;
  std::vector<double> alphas(updates.size());
  for (std::size_t i = updates.size(); i-- > 0;) {
    alphas[i] = dot(updates[i].step, direction) / updates[i].curvature;
    add_scaled(direction, -alphas[i], updates[i].gradient_change);
  }
  if (!updates.empty()) {
    const auto& last = updates.back();
    const double scale = last.curvature / dot(last.gradient_change, last.gradient_change);
    for (double& value : direction) value *= scale;
  }
  for (std::size_t i = 0; i < updates.size(); ++i) {
    const double beta = dot(updates[i].gradient_change, direction) / updates[i].curvature;
    add_scaled(direction, alphas[i] - beta, updates[i].step);
  }
  for (double& value : direction) value = -value;
  return direction;
}

}  // namespace

Minimum minimize_lbfgs(const Objective& objective, std::vector<double> start, std::size_t iterations,
                       double tolerance, const std::function<void()>& after_iteration) {
  Minimum best;
  best.x = std::move(start);
  std::vector<double> gradient(best.x.size());
  best.value = objective(best.x, gradient);
  std::deque<Update> updates;
  std::vector<double> candidate_gradient(best.x.size());
  for (; best.iterations < iterations; ++best.iterations) {
    best.gradient_norm = std::sqrt(dot(gradient, gradient));
    if (best.gradient_norm < tolerance) return best;
    const auto direction = descent_direction(updates, gradient);
    const double slope = dot(direction, gradient);
    double length = updates.empty() ? 1 / best.gradient_norm : 1;
    std::vector<double> candidate;
    double value = best.value;
    bool improved = false;
    for (int halving = 0; halving < 40 && !improved; ++halving, length /= 2) {
      candidate = best.x;
      add_scaled(candidate, length, direction);
      value = objective(candidate, candidate_gradient);
      improved = value <= best.value + 1e-4 * length * slope;  // Armijo's condition
    }
    if (!improved) return best;
    Update update = {candidate, candidate_gradient, 0};
    add_scaled(update.step, -1, best.x);
    add_scaled(update.gradient_change, -1, gradient);
    update.curvature = dot(update.step, update.gradient_change);
    if (update.curvature > 1e-12) {
      updates.push_back(std::move(update));
      if (updates.size() > kMemory) updates.pop_front();
    }
    best.x = std::move(candidate);
    best.value = value;
    gradient = candidate_gradient;
    if (after_iteration) after_iteration();
  }
  best.gradient_norm = std::sqrt(dot(gradient, gradient));
  return best;
}

}  // namespace medretrieval::detail
