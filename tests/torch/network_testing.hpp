// What the tests of networks share.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>

#include "support/test_data.hpp"
#include "torch/network.hpp"

namespace medretrieval::deep::testing {

using ::medretrieval::testing::TemporaryFolder;

/// Writes a small TorchScript backbone: `code` is the body of its forward(self, x), which may use self.weight (8 x
/// channels x 3 x 3) and self.scale (a buffer of 8 ones).
void write_script_module(const std::filesystem::path& file, std::int64_t channels, const std::string& code);

/// Writes weights by name as Python's torch.save writes a dictionary.
void write_weights(const std::filesystem::path& file, const std::map<std::string, Tensor>& weights);

/// The weights of a residual network of 18 layers and three stages, drawn from a seed of its own.
std::map<std::string, Tensor> residual_weights();

/// The module that tests of every network give to `scripted`.
const std::filesystem::path& example_script_module();

/// Options without which a network cannot be made.
Parameters needed_options(const std::string& network);

/// Seeds libtorch's generator, then makes the network.
std::shared_ptr<Network> make_seeded(const std::string& network, const NetworkShape& shape,
                                     Parameters options = {});

/// rows x 1 x side x side, values 0..1: smooth, each row different.
Tensor smooth_images(std::int64_t rows, std::int64_t side);

/// Stripes in such noise: image i has 2^(i mod kinds + 1) periods across.
Tensor striped_images(std::int64_t rows, std::int64_t side, std::int64_t kinds);

/// Each named layer's sizes in one forward pass over two images in evaluation mode.
std::map<std::string, std::vector<std::int64_t>> layer_sizes(Network& network, std::int64_t side);

/// A name without characters that gtest refuses.
std::string plain_name(std::string name);

}  // namespace medretrieval::deep::testing
