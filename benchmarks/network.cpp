// One measurement of a network in a process of its own, beside the same network in Python (benchmarks/deep_throughput).
// usage: benchmark_network MODE PRESET SIDE BATCH THREADS OPTIMIZER SECONDS [FILE]
//   step     forward, loss, backward, optimizer on one batch
//   epoch    train_network() over images in memory, an epoch of four batches
//   extract  DeepModel::analyse() over images in memory of the network's side
//   check    writes weights, images and outputs to FILE for Python
// Prints JSON: images a second of wall clock and of processor time.
#include <torch/serialize.h>
#include <torch/types.h>

#include <chrono>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <medretrieval/torch/deep_model.hpp>
#include <medretrieval/torch/training.hpp>

#include "torch/deep_model_state.hpp"
#include "torch/objective.hpp"
#include "torch/optimizer.hpp"
#include "torch/tensor_file.hpp"
#include "torch/thread_scope.hpp"

namespace medretrieval::deep {
namespace {

constexpr std::size_t kBatches = 4;
constexpr std::size_t kBits = 64;

struct Options {
  std::string mode;
  std::string preset;
  std::size_t side = 0;
  std::size_t batch = 0;
  int threads = 1;
  TrainingPlan plan;
  double seconds = 1;
  std::string file;

  std::size_t images() const { return kBatches * batch; }
};

/// Cross-entropy, central similarity, and a decoder's loss where there is one.
TrainingPlan plan_of(const Options& options, const std::string& optimizer) {
  static const std::map<std::string, Optimizer> optimizers = {
      {"sgd", Optimizer::sgd}, {"adam", Optimizer::adam}, {"adamw", Optimizer::adamw}};
  TrainingPlan plan;
  plan.batch = options.batch;
  plan.optimizer = optimizers.at(optimizer);
  plan.learning_rate = 1e-4;
  plan.weight_decay = 1e-4;
  plan.momentum = plan.optimizer == Optimizer::sgd ? 0.9 : 0;
  plan.objective.hashing = "csq";
  plan.objective.reconstruction = options.preset == "fcdn" ? 1 : 0;
  return plan;
}

NetworkDescription description_of(const Options& options) {
  return {options.preset,
          complete_parameters({}, network_type(options.preset).options, options.preset),
          options.side,
          kBits,
          {"benign", "malignant"}};
}

std::vector<imaging::Image> images_of(const Options& options) {
  std::vector<imaging::Image> images;
  for (std::size_t i = 0; i < options.images(); ++i) {
    images.emplace_back(options.side, options.side, imaging::PixelUnit::display);
    const Tensor values = ::torch::rand({static_cast<std::int64_t>(options.side * options.side)});
    std::copy_n(values.data_ptr<float>(), values.numel(), images.back().pixels().begin());
  }
  return images;
}

void print(double images, double wall, double processor) {
  std::printf("{\"wall\": %.6g, \"cpu\": %.6g}\n", images / wall, images / processor);
}

double processor_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

/// Repeats what handles so many images, after one run to warm up.
void measure(const std::function<void()>& action, std::size_t images, double seconds) {
  action();
  const auto start = std::chrono::steady_clock::now();
  const double processor = processor_seconds();
  std::size_t runs = 0;
  double wall = 0;
  while (runs < 2 || wall < seconds) {
    action();
    ++runs;
    wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  print(static_cast<double>(runs * images), wall, processor_seconds() - processor);
}

void measure_steps(const Options& options) {
  const ThreadScope threads(options.threads);
  const auto network = make_network(description_of(options));
  put_channels_last(*network);  // as in a training
  const auto optimizer = make_optimizer(options.plan, *network);
  const auto rows = static_cast<std::int64_t>(options.batch);
  const Tensor labels = ::torch::one_hot(::torch::arange(rows) % 2, 2).to(::torch::kFloat32);
  const BatchLoss loss(options.plan.objective, network->code_bits(), labels, false, false, 1);
  const auto side = static_cast<std::int64_t>(options.side);
  const Tensor images = ::torch::rand({rows, 1, side, side});
  network->train();
  measure(
      [&] {
        zero_gradients(*optimizer);
        const NetworkOutput output = network->forward(images);
        const Tensor value = loss(output, {output.hash, labels, ::torch::arange(rows), 0}, images);
        if (!std::isfinite(value.item<double>())) throw std::runtime_error("the loss is not finite");
        value.backward();
        optimizer->step();
      },
      options.batch, options.seconds);
}

void measure_epochs(const Options& options) {
  const auto images = images_of(options);
  TrainingImages rows;
  rows.load = [&](std::size_t row) { return images[row]; };
  for (std::size_t i = 0; i < images.size(); ++i) {
    rows.labels.push_back({i % 2 == 0 ? "benign" : "malignant"});
    rows.patients.push_back(std::to_string(i));
  }
  TrainingOptions training;
  training.network = options.preset;
  training.side = options.side;
  training.bits = kBits;
  training.plan = options.plan;
  training.plan->epochs = 1000;
  training.validation_share = 0;
  training.threads = options.threads;
  std::size_t epochs = 0;
  double wall = 0;
  double first = 0;
  double last = 0;
  training.on_epoch = [&](const EpochFigures& figures) {
    last = processor_seconds();
    if (++epochs == 1) first = last;  // it loads the images
    if (epochs > 1) wall += figures.seconds;
  };
  training.progress = [&](const ProgressReport&) { return epochs < 3 || wall < options.seconds; };
  try {
    train_network(training, rows);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::cancelled) throw;
  }
  print(static_cast<double>((epochs - 1) * images.size()), wall, last - first);
}

DeepModel model_of(const Options& options) {
  const auto description = description_of(options);
  return DeepModelBuilder::from_network(description, make_network(description), nullptr);
}

void measure_extraction(const Options& options) {
  const auto images = images_of(options);
  const DeepModel model = model_of(options);
  measure([&] { model.analyse(images, {.batch = options.batch, .threads = options.threads}); }, images.size(),
          options.seconds);
}

void write_check(const Options& options) {
  const auto network = make_network(description_of(options));
  network->eval();
  const ::torch::NoGradGuard no_gradient;
  const auto side = static_cast<std::int64_t>(options.side);
  const Tensor images = ::torch::rand({2, 1, side, side});
  const NetworkOutput output = network->forward(images);
  c10::Dict<std::string, Tensor> stored;
  for (const auto& [name, tensor] : tensors_of(*network)) stored.insert("weight." + name, tensor);
  stored.insert("images", images);
  stored.insert("features", output.features);
  stored.insert("hash", output.hash);
  stored.insert("logits", output.logits);
  const auto bytes = ::torch::pickle_save(stored);
  std::ofstream(options.file, std::ios::binary)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  std::printf("{\"parameters\": %lld}\n", static_cast<long long>(parameter_count(*network)));
}

}  // namespace
}  // namespace medretrieval::deep

int main(int count, char** arguments) {
  using namespace medretrieval::deep;
  if (count < 8) {
    std::fprintf(stderr,
                 "usage: benchmark_network MODE PRESET SIDE BATCH THREADS OPTIMIZER SECONDS [FILE]\n");
    return 2;
  }
  Options options;
  options.mode = arguments[1];
  options.preset = arguments[2];
  options.side = std::stoul(arguments[3]);
  options.batch = std::stoul(arguments[4]);
  options.threads = std::stoi(arguments[5]);
  options.seconds = std::stod(arguments[7]);
  if (count > 8) options.file = arguments[8];
  options.plan = plan_of(options, arguments[6]);
  ::torch::manual_seed(1);
  if (options.mode == "step") measure_steps(options);
  if (options.mode == "epoch") measure_epochs(options);
  if (options.mode == "extract") measure_extraction(options);
  if (options.mode == "check") write_check(options);
}
