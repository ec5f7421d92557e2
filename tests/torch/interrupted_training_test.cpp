// Trainings that cannot go on: losses and weights that are no numbers, a disk that is full, checkpoints that are
// damaged. The last good checkpoint stays, and a training goes on from it as if nothing had happened.
#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <medretrieval/torch/training.hpp>
#include <optional>

#include "drawn_images.hpp"
#include "forged_network_file.hpp"
#include "network_testing.hpp"
#include "support/expect_error.hpp"
#include "support/make_images.hpp"

namespace medretrieval::deep {
namespace {

namespace fs = std::filesystem;
using detail::NetworkSection;
using medretrieval::testing::read_bytes;
using testing::make_images;

constexpr std::size_t kRows = 48;

/// While it lives, no file grows beyond that many bytes: writing fails as on a full disk, in the middle of a write.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) throw std::runtime_error("setrlimit failed");
  }
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int);
};

TrainingOptions quick_options() {
  auto options = testing::quick_options();
  options.threads = 1;
  return options;
}

std::size_t files_in(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

/// Options whose training stops after two of its six epochs; the checkpoint stays.
TrainingOptions stopped_after_two(const fs::path& checkpoint) {
  auto options = quick_options();
  options.checkpoint = checkpoint;
  auto stopped = options;
  std::size_t epochs = 0;
  stopped.on_epoch = [&](const EpochFigures& figures) { epochs = figures.epoch; };
  stopped.progress = [&](const ProgressReport&) { return epochs < 2; };
  EXPECT_ERROR(train_network(stopped, make_images(kRows)), cancelled, "epoch 3");
  return options;
}

TEST(InterruptedTraining, NamesEpochBatchAndRowsOfALossThatIsNotFinite) {
  auto options = quick_options();
  options.plan->optimizer = Optimizer::sgd;
  options.plan->learning_rate = 10;  // on a loss that grows with the square of the outputs
  options.plan->objective.hashing = "dpsh";
  options.plan->epochs = 20;
  try {
    train_network(options, make_images(kRows));
    FAIL() << "expected an Error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
    EXPECT_THAT(error.what(), ::testing::ContainsRegex("epoch [0-9]+, batch [0-9]+ \\(rows [0-9]+, [0-9]+"));
    EXPECT_THAT(error.what(), ::testing::HasSubstr("learning rate than 10"));
  }
}

// One batch an epoch: of the step that breaks the weights no loss tells, neither before nor behind it.
TEST(InterruptedTraining, WritesNoCheckpointOfWeightsThatAreNotFinite) {
  const testing::TemporaryFolder folder;
  testing::write_script_module(folder / "module.pt", 3,
                               "    places = torch.conv2d(x, self.weight, None, [4, 4], [1, 1])\n"
                               "    return places.mean([2, 3]) + torch.sqrt(self.weight.sum() * 0.0)\n");
  auto options = quick_options();
  options.network = "scripted";
  options.network_options = {{"file", (folder / "module.pt").string()}, {"trainable", true}};
  options.side = 32;
  options.checkpoint = folder / "checkpoint";
  options.validation_share = 0;
  options.plan->batch = kRows;
  options.plan->epochs = 1;
  EXPECT_ERROR(train_network(options, make_images(kRows)), unsupported, "'backbone.weight' are not finite");
  EXPECT_FALSE(fs::exists(options.checkpoint));
}

TEST(InterruptedTraining, KeepsTheCheckpointWhenTheDiskIsFull) {
  const testing::TemporaryFolder folder;
  const auto images = make_images(kRows);
  auto options = quick_options();
  const Fingerprint whole = train_network(options, images).model.fingerprint();
  options.checkpoint = folder / "checkpoint";
  medretrieval::testing::ByteVector good;
  {
    std::optional<FullDisk> full;
    auto limited = options;
    limited.on_epoch = [&](const EpochFigures& figures) {
      if (figures.epoch != 2) return;
      good = read_bytes(options.checkpoint);
      full.emplace(good.size() / 2);
    };
    EXPECT_ERROR(train_network(limited, images), io, "checkpoint.tmp: cannot write");
  }
  EXPECT_EQ(read_bytes(options.checkpoint), good);
  EXPECT_EQ(files_in(options.checkpoint.parent_path()), 1U) << "the half-written file is gone";
  std::size_t first = 0;
  options.on_epoch = [&](const EpochFigures& figures) { first = first == 0 ? figures.epoch : first; };
  EXPECT_EQ(train_network(options, images).model.fingerprint(), whole);
}

TEST(InterruptedTraining, KeepsTheModelBeforeWhenTheDiskIsFull) {
  const testing::TemporaryFolder folder;
  const auto file = folder / "model";
  const DeepModel before = testing::tiny_model(1);
  before.save(file);
  const DeepModel after = testing::tiny_model(2);
  {
    const FullDisk full(fs::file_size(file) - 1);
    EXPECT_ERROR(after.save(file), io, "model.tmp: cannot write");
  }
  EXPECT_EQ(DeepModel::load(file).fingerprint(), before.fingerprint());
  EXPECT_EQ(files_in(file.parent_path()), 1U);
  after.save(file);
  EXPECT_EQ(DeepModel::load(file).fingerprint(), after.fingerprint());
}

TEST(InterruptedTraining, RefusesDamagedCheckpointsAndLeavesThemAlone) {
  const testing::TemporaryFolder folder;
  const auto images = make_images(kRows);
  const auto options = stopped_after_two(folder / "checkpoint");
  const auto good = read_bytes(options.checkpoint);
  const auto expect_refusal = [&](const medretrieval::testing::ByteVector& bytes, const char* part) {
    medretrieval::testing::write_bytes(options.checkpoint, bytes);
    EXPECT_ERROR(train_network(options, images), corrupt, part);
    EXPECT_EQ(read_bytes(options.checkpoint), bytes);
  };
  for (const std::size_t kept : {std::size_t{0}, std::size_t{100}, good.size() / 2, good.size() - 1}) {
    expect_refusal({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(kept)}, "checkpoint");
  }
  for (const std::size_t place : {good.size() / 3, good.size() / 2, good.size() - 100}) {
    auto changed = good;
    changed[place] ^= 0x10;
    expect_refusal(changed, "checkpoint");
  }
}

TEST(InterruptedTraining, RefusesForgedCheckpoints) {
  const testing::TemporaryFolder folder;
  const auto images = make_images(kRows);
  const auto options = stopped_after_two(folder / "checkpoint");
  const auto good = read_bytes(options.checkpoint);
  const std::string record = testing::section_text(options.checkpoint, NetworkSection::training);
  const auto with_record = [&](const std::string& from, const std::string& to) {
    auto changed = record;
    const auto place = changed.find(from);
    EXPECT_NE(place, std::string::npos) << from;
    return testing::Replacements{
        {NetworkSection::training, changed.replace(std::min(place, changed.size()), from.size(), to)}};
  };
  const std::string state = testing::section_text(options.checkpoint, NetworkSection::optimizer_index);
  const auto with_state = [&](const std::string& from, const std::string& to) {
    auto changed = state;
    const auto place = changed.find(from);
    EXPECT_NE(place, std::string::npos) << from;
    return testing::Replacements{
        {NetworkSection::optimizer_index, changed.replace(std::min(place, changed.size()), from.size(), to)}};
  };
  const std::vector<std::pair<testing::Replacements, const char*>> forgeries = {
      {{{NetworkSection::training, "[]"}}, "record of a training"},
      {{{NetworkSection::training, std::nullopt}}, "section 7"},
      {with_record("\"best_epoch\":", "\"best_epoch\":9"), "best epoch of 1 to 2"},
      {with_record("\"best_epoch\":", "\"no_epoch\":"), "best_epoch"},
      {with_record("\"epochs\":[{", "\"epochs\":[{},{"), "epoch"},
      {{{NetworkSection::optimizer_index, "[]"}}, "state of the optimizer: expected tensors"},
      {with_state("\"0.exp_avg\"", "\"0.exp_axg\""), "it lacks '0.exp_avg'"},
      {with_state("\"0.exp_avg\"", "\"9999.step\""), "state of the optimizer"},
      {{{NetworkSection::optimizer_index, std::nullopt}}, "section 8"},
      {{{NetworkSection::optimizer_data, std::nullopt}}, "section 12"},
      {{{NetworkSection::best_tensor_index, std::nullopt}}, "section 9"},
  };
  for (const auto& [replacements, part] : forgeries) {
    medretrieval::testing::write_bytes(options.checkpoint, good);
    testing::rewrite(options.checkpoint, replacements);
    EXPECT_ERROR(train_network(options, images), corrupt, part);
  }
  medretrieval::testing::write_bytes(options.checkpoint, good);
  EXPECT_NO_THROW(train_network(options, images));
}

TEST(InterruptedTraining, TakesNoModelForACheckpoint) {
  const testing::TemporaryFolder folder;
  auto options = quick_options();
  options.checkpoint = folder / "model";
  testing::tiny_model(1).save(options.checkpoint);
  EXPECT_ERROR(train_network(options, make_images(kRows)), corrupt, "section 7");
}

}  // namespace
}  // namespace medretrieval::deep
