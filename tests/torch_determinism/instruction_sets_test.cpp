// The same network file gives the same features, up to rounding, and the same codes, but for bits that lie next to the
// threshold, on every instruction set of libtorch, oneDNN and OpenBLAS. Prints the table of docs/deep_hashing.md.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/utils.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <medretrieval/imaging/phantom.hpp>
#include <medretrieval/torch/deep_model.hpp>
#include <medretrieval/torch/training.hpp>

#include "torch/deep_model_state.hpp"

namespace medretrieval::deep {
namespace {

namespace fs = std::filesystem;

/// The stated tolerance, of the root mean square of all features, or of all outputs of the hash layer.
constexpr double kTolerance = 1e-4;

struct InstructionSet {
  const char* name;
  const char* capability;  ///< as libtorch calls it
  const char* environment;
  bool supported;
};

const std::array<InstructionSet, 3>& instruction_sets() {
  static const std::array<InstructionSet, 3> sets = {
      {{"SSE 4.1", "NO AVX",
        "ATEN_CPU_CAPABILITY=default ONEDNN_MAX_CPU_ISA=SSE41 OPENBLAS_CORETYPE=Nehalem "
        "MEDRETRIEVAL_FORCE_ISA=scalar",
        true},
       {"AVX2", "AVX2",
        "ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2 OPENBLAS_CORETYPE=Haswell "
        "MEDRETRIEVAL_FORCE_ISA=avx2",
        __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")},
       {"AVX-512", "AVX512",
        "ATEN_CPU_CAPABILITY=avx512 ONEDNN_MAX_CPU_ISA=AVX512_CORE OPENBLAS_CORETYPE=SkylakeX "
        "MEDRETRIEVAL_FORCE_ISA=avx512",
        __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
            __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")}}};
  return sets;
}

/// What the probe wrote.
struct Answers {
  std::vector<double> features;
  std::vector<double> hash;
  std::vector<std::uint8_t> bits;
};

template <class Value>
std::vector<Value> read(std::ifstream& stream, std::uint64_t count) {
  std::vector<Value> values(count);
  stream.read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(count * sizeof(Value)));
  return values;
}

Answers run_probe(const InstructionSet& set, const fs::path& network, const fs::path& out) {
  const std::string command = std::string(set.environment) + " '" MEDRETRIEVAL_NETWORK_PROBE "' '" +
                              network.string() + "' '" + out.string() + "'";
  FILE* pipe = ::popen(command.c_str(), "r");
  std::array<char, 8192> printed{};
  const std::size_t got = std::fread(printed.data(), 1, printed.size() - 1, pipe);
  EXPECT_EQ(::pclose(pipe), 0) << command;
  EXPECT_THAT(std::string(printed.data(), got),
              ::testing::HasSubstr(std::string("CPU capability usage: ") + set.capability))
      << command;
  std::ifstream stream(out, std::ios::binary);
  const auto sizes = read<std::uint64_t>(stream, 3);
  const auto features = read<float>(stream, sizes[0] * sizes[1]);
  Answers answers = {{features.begin(), features.end()},
                     read<double>(stream, sizes[0] * sizes[2]),
                     read<std::uint8_t>(stream, sizes[0] * sizes[2])};
  EXPECT_TRUE(stream) << out;
  return answers;
}

double root_mean_square(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value * value;
  return std::sqrt(sum / static_cast<double>(values.size()));
}

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

/// Differences relative to root mean squares; numbers of bits.
struct Comparison {
  double features = 0;
  double hash = 0;
  std::size_t differing = 0;
  std::size_t differing_far = 0;  ///< beyond the tolerance of the threshold
};

Comparison compare(const Answers& reference, const Answers& other) {
  const double scale = root_mean_square(reference.hash);
  Comparison comparison = {
      largest_difference(reference.features, other.features) / root_mean_square(reference.features),
      largest_difference(reference.hash, other.hash) / scale};
  for (std::size_t i = 0; i < reference.bits.size(); ++i) {
    if (reference.bits[i] == other.bits[i]) continue;
    ++comparison.differing;
    if (std::abs(reference.hash[i]) > kTolerance * scale) ++comparison.differing_far;
  }
  return comparison;
}

std::size_t bits_near_threshold(const Answers& answers) {
  const double limit = kTolerance * root_mean_square(answers.hash);
  return static_cast<std::size_t>(std::count_if(answers.hash.begin(), answers.hash.end(),
                                                [&](double value) { return std::abs(value) <= limit; }));
}

class InstructionSets : public ::testing::Test {
 protected:
  InstructionSets() { fs::create_directories(folder_); }
  ~InstructionSets() override { fs::remove_all(folder_); }

  /// Runs the network on every instruction set, compares with the best one. Returns the largest relative difference
  /// of features.
  double check(const std::string& name, const DeepModel& model) {
    const auto file = folder_ / "network";
    model.save(file);
    std::vector<std::pair<const char*, Answers>> all;
    for (const auto& set : instruction_sets()) {
      if (set.supported) all.emplace_back(set.name, run_probe(set, file, folder_ / "answers"));
    }
    const Answers& reference = all.back().second;
    double largest = 0;
    for (std::size_t i = 0; i + 1 < all.size(); ++i) {
      const auto& [set, answers] = all[i];
      const Comparison found = compare(reference, answers);
      EXPECT_LE(found.features, kTolerance) << name << ", " << set;
      EXPECT_LE(found.hash, kTolerance) << name << ", " << set;
      EXPECT_EQ(found.differing_far, 0U) << name << ", " << set;
      std::printf("| `%s` | %s, %s | %.1e | %.1e | %zu of %zu | %zu |\n", name.c_str(), set, all.back().first,
                  found.features, found.hash, found.differing, reference.bits.size(),
                  bits_near_threshold(reference));
      largest = std::max(largest, found.features);
    }
    return largest;
  }

  double check_untrained(const std::string& network, std::size_t side) {
    const auto& type = network_type(network);
    const NetworkDescription description = {
        network, complete_parameters({}, type.options, network), side, 64, {"benign", "malignant"}};
    ::torch::manual_seed(7);
    return check(network, DeepModelBuilder::from_network(description, make_network(description), nullptr));
  }

  fs::path folder_ = fs::path(::testing::TempDir()) / ("instruction_sets_" + std::to_string(::getpid()));
};

TEST_F(InstructionSets, UntrainedNetworksGiveTheSame) {
  double largest = 0;
  for (const char* network :
       {"semantic-attention", "fcdn", "spatial-attention-resnet18", "resnet18", "resnet50"}) {
    largest = std::max(largest, check_untrained(network, 64));
  }
  largest = std::max(largest, check_untrained("attention-cnn-bilstm", 32));
  if (instruction_sets()[1].supported) {
    EXPECT_GT(largest, 0) << "the instruction sets were not told apart";
  }
}

/// Trained on phantoms of lung nodules, benign or malignant.
DeepModel trained(const std::string& network, std::size_t epochs) {
  const imaging::PhantomOptions phantoms = {.patients = 60, .images_per_patient = 2, .seed = 5};
  TrainingImages images;
  images.load = [=](std::size_t row) {
    return imaging::apply_window(imaging::draw_phantom(phantoms, row / 2, row % 2).image, {-300, 1800});
  };
  for (std::size_t row = 0; row < 120; ++row) {
    images.labels.push_back(imaging::draw_phantom(phantoms, row / 2, row % 2).labels);
    images.patients.push_back(std::to_string(row / 2));
  }
  TrainingOptions options;
  options.network = network;
  options.plan = network_type(network).plan;
  options.plan->epochs = epochs;
  options.threads = 1;
  return train_network(options, images).model;
}

TEST_F(InstructionSets, TrainedNetworksGiveTheSame) {
  check("semantic-attention, trained", trained("semantic-attention", 4));
  check("fcdn, trained", trained("fcdn", 4));
}

}  // namespace
}  // namespace medretrieval::deep
