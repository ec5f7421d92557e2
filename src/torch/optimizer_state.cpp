#include "torch/optimizer_state.hpp"

#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>

#include <memory>

#include "base/concat.hpp"

namespace medretrieval::deep {

namespace {

namespace optim = ::torch::optim;
using detail::fail;

/// By what an optimizer finds the state of a parameter.
std::string key_of(const Tensor& parameter) {
  return c10::guts::to_string(parameter.unsafeGetTensorImpl());
}

std::vector<Tensor> parameters_of(const optim::Optimizer& optimizer) {
  std::vector<Tensor> parameters;
  for (const auto& group : optimizer.param_groups()) {
    parameters.insert(parameters.end(), group.params().begin(), group.params().end());
  }
  return parameters;
}

/// Takes tensors of the state by name, each once.
class Reader {
 public:
  explicit Reader(const NamedTensors& state) : state_(state) {}

  bool has(const std::string& name) const { return state_.contains(name); }

  Tensor take(const std::string& name, at::IntArrayRef shape, at::ScalarType type) {
    const auto found = state_.find(name);
    if (found == state_.end()) fail(ErrorCode::incompatible, "state of the optimizer: it lacks '", name, "'");
    const Tensor& tensor = found->second;
    if (tensor.sizes() != shape || tensor.scalar_type() != type) {
      fail(ErrorCode::incompatible, "state of the optimizer: '", name, "': expected ", type, " of shape ",
           shape, ", got ", tensor.scalar_type(), " of shape ", tensor.sizes());
    }
    ++taken_;
    return tensor;
  }

  /// A moment of a parameter, in its place and order in memory.
  Tensor moment(const std::string& name, const Tensor& parameter) {
    const Tensor stored = take(name, parameter.sizes(), parameter.scalar_type());
    const ::torch::NoGradGuard no_gradient;
    return ::torch::empty_like(parameter, at::MemoryFormat::Preserve).detach().copy_(stored);
  }

  void require_all_taken() const {
    if (taken_ != state_.size()) {
      fail(ErrorCode::incompatible, "state of the optimizer: expected ", taken_, " tensors, got ",
           state_.size());
    }
  }

 private:
  const NamedTensors& state_;
  std::size_t taken_ = 0;
};

// One pair of functions for each form of state. `place` is "3." for the parameter 3.

template <class State>
struct Moments {  // of Adam and AdamW
  static void keep(const State& state, const std::string& place, NamedTensors& kept) {
    kept[place + "step"] = ::torch::tensor(state.step(), ::torch::kInt64);
    kept[place + "exp_avg"] = state.exp_avg();
    kept[place + "exp_avg_sq"] = state.exp_avg_sq();
  }
  static std::unique_ptr<optim::OptimizerParamState> make(Reader& reader, const std::string& place,
                                                          const Tensor& parameter) {
    if (!reader.has(place + "step")) return nullptr;
    auto state = std::make_unique<State>();
    state->step(reader.take(place + "step", {}, ::torch::kInt64).template item<std::int64_t>());
    state->exp_avg(reader.moment(place + "exp_avg", parameter));
    state->exp_avg_sq(reader.moment(place + "exp_avg_sq", parameter));
    return state;
  }
};

struct Momentum {  // of SGD
  static void keep(const optim::SGDParamState& state, const std::string& place, NamedTensors& kept) {
    if (state.momentum_buffer().defined()) kept[place + "momentum"] = state.momentum_buffer();
  }
  static std::unique_ptr<optim::OptimizerParamState> make(Reader& reader, const std::string& place,
                                                          const Tensor& parameter) {
    if (!reader.has(place + "momentum")) return nullptr;
    auto state = std::make_unique<optim::SGDParamState>();
    state->momentum_buffer(reader.moment(place + "momentum", parameter));
    return state;
  }
};

/// Calls `work` with the form of state that the optimizer has, and its type.
template <class Work>
void with_form(const optim::Optimizer& optimizer, const Work& work) {
  if (dynamic_cast<const optim::SGD*>(&optimizer) != nullptr) {
    work(Momentum(), static_cast<optim::SGDParamState*>(nullptr));
  } else if (dynamic_cast<const optim::AdamW*>(&optimizer) != nullptr) {
    work(Moments<optim::AdamWParamState>(), static_cast<optim::AdamWParamState*>(nullptr));
  } else {
    work(Moments<optim::AdamParamState>(), static_cast<optim::AdamParamState*>(nullptr));
  }
}

}  // namespace

NamedTensors state_of(const optim::Optimizer& optimizer) {
  NamedTensors kept;
  with_form(optimizer, [&](auto form, auto* type) {
    const auto parameters = parameters_of(optimizer);
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const auto found = optimizer.state().find(key_of(parameters[i]));
      if (found == optimizer.state().end()) continue;
      form.keep(static_cast<const std::remove_pointer_t<decltype(type)>&>(*found->second),
                std::to_string(i) + ".", kept);
    }
  });
  return kept;
}

void set_state(optim::Optimizer& optimizer, const NamedTensors& state) {
  Reader reader(state);
  with_form(optimizer, [&](auto form, auto* /*type*/) {
    const auto parameters = parameters_of(optimizer);
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      auto made = form.make(reader, std::to_string(i) + ".", parameters[i]);
      if (made) optimizer.state()[key_of(parameters[i])] = std::move(made);
    }
  });
  reader.require_all_taken();
}

}  // namespace medretrieval::deep
