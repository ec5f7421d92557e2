// Paper 000 from end to end: fc7 features of a VGG-16 with weights from elsewhere, product codes, ADC search.
#include <gtest/gtest.h>

#include <medretrieval/gallery.hpp>
#include <medretrieval/searcher.hpp>
#include <medretrieval/torch/training.hpp>

#include "drawn_images.hpp"
#include "network_testing.hpp"
#include "support/expect_error.hpp"

namespace medretrieval::deep {
namespace {

constexpr std::size_t kRows = 48;
const NetworkShape kShape = {32, 16, 2};

/// The weights of a network's backbone, by the names that torchvision gives them.
std::map<std::string, Tensor> backbone_of(const Network& network) {
  const std::string prefix = "backbone.";
  std::map<std::string, Tensor> weights;
  for (const auto& each : network.named_parameters()) {
    if (each.key().starts_with(prefix)) weights[each.key().substr(prefix.size())] = each.value().detach();
  }
  return weights;
}

std::vector<imaging::Image> drawn_images() {
  std::vector<imaging::Image> images;
  for (std::size_t row = 0; row < kRows; ++row) images.push_back(testing::draw(row));
  return images;
}

TEST(Vgg16, FeaturesBecomeProductCodesThatAreSearched) {
  const testing::TemporaryFolder folder;
  const auto elsewhere = testing::make_seeded("vgg16", kShape);
  testing::write_weights(folder / "vgg16.pt", backbone_of(*elsewhere));
  TrainingOptions options;
  options.network = "vgg16";
  options.side = kShape.side;
  options.bits = kShape.bits;
  options.plan = network_type("vgg16").plan;
  options.plan->epochs = 0;
  options.backbone_weights = folder / "vgg16.pt";
  options.seed = 77;
  options.threads = 1;
  const auto taken = train_network(options, testing::make_images(kRows));
  EXPECT_TRUE(taken.report.epochs.empty());
  EXPECT_EQ(taken.report.best_epoch, 0U);

  const auto images = drawn_images();
  const Matrix features = taken.model.analyse(images, {.threads = 1}).features;
  ASSERT_EQ(features.cols(), 4096U);
  elsewhere->eval();
  const ::torch::NoGradGuard guard;
  const Tensor first = ::torch::from_blob(const_cast<float*>(images[5].pixels().data()), {1, 1, 32, 32});
  const Tensor fc7 = elsewhere->forward(first).features;
  const Tensor found = ::torch::from_blob(const_cast<float*>(features.row(5).data()), {1, 4096});
  EXPECT_TRUE(::torch::allclose(found, fc7, 1e-4, 1e-5))
      << "the features are those of the weights from elsewhere";

  ModelOptions wanted;
  wanted.encoder = EncoderOptions{"pq",
                                  {{"subspaces", std::int64_t{64}},
                                   {"bits_per_entry", std::int64_t{4}},
                                   {"iterations", std::int64_t{5}}}};
  wanted.gate = false;
  wanted.threads = 1;
  Gallery gallery(train_model(wanted, {features, {}, {}}));
  const std::vector<ItemId> ids = gallery.add(features);
  const Snapshot snapshot = gallery.commit();
  SearchOptions by_code;
  by_code.k = 5;
  by_code.rerank = Rerank::none;
  by_code.threads = 1;
  const auto answers = Searcher(snapshot).search(features, by_code);
  std::size_t own = 0;
  for (std::size_t row = 0; row < kRows; ++row) {
    ASSERT_EQ(answers[row].hits.size(), 5U);
    for (std::size_t i = 1; i < 5; ++i) {
      EXPECT_LE(answers[row].hits[i - 1].distance, answers[row].hits[i].distance);
    }
    own += answers[row].hits[0].id == ids[row] ? 1 : 0;
  }
  EXPECT_GT(own, kRows * 3 / 4) << "a query's own code is the nearest, but for the error of quantization";
}

TEST(Training, OfNoEpochsKeepsWhatItBeginsWith) {
  auto options = testing::quick_options();
  options.plan->epochs = 0;
  const auto images = testing::make_images(48);
  const auto first = train_network(options, images);
  EXPECT_TRUE(first.report.epochs.empty());
  EXPECT_EQ(first.model.fingerprint(), train_network(options, images).model.fingerprint());
  options.seed = 2;
  EXPECT_NE(first.model.fingerprint(), train_network(options, images).model.fingerprint());
  options.plan->epochs = 100'001;
  EXPECT_ERROR(train_network(options, images), invalid_argument, "0 to 100,000");
}

}  // namespace
}  // namespace medretrieval::deep
