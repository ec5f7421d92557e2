#include <torch/utils.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <medretrieval/torch/training.hpp>

#include "base/concat.hpp"
#include "torch/batches.hpp"
#include "torch/batches_ahead.hpp"
#include "torch/checkpoint.hpp"
#include "torch/deep_model_state.hpp"
#include "torch/device.hpp"
#include "torch/epoch_judge.hpp"
#include "torch/gate_calibration.hpp"
#include "torch/libtorch_errors.hpp"
#include "torch/networks/named_weights.hpp"
#include "torch/objective.hpp"
#include "torch/optimizer.hpp"
#include "torch/thread_scope.hpp"
#include "torch/training_set.hpp"
#include "torch/validation.hpp"

namespace medretrieval::deep {

using detail::fail;

namespace {

constexpr double kMaximumValidation = 0.5;
constexpr std::size_t kNamedRows = 8;  // of a batch, in messages

const TrainingPlan& plan_of(const TrainingOptions& options) {
  return options.plan ? *options.plan : network_type(options.network).plan;
}

/// The first rows of a batch, for messages.
std::string names_of(std::span<const std::size_t> rows) {
  std::string names;
  for (const auto row : rows.first(std::min(rows.size(), kNamedRows))) {
    names.append(names.empty() ? "" : ", ").append(std::to_string(row));
  }
  return names + (rows.size() > kNamedRows ? ", ..." : "");
}

struct LoadedBatch {
  std::vector<std::size_t> rows;
  Tensor images;
  Tensor targets;
};

class Trainer {
 public:
  Trainer(const TrainingOptions& options, const TrainingImages& images)
      : options_(options),
        plan_(plan_of(options)),
        device_(device_named(options.device)),
        description_({options.network,
                      complete_parameters(options.network_options, network_type(options.network).options,
                                          "network '" + options.network + "'"),
                      options.side != 0 ? options.side : network_type(options.network).side, options.bits}),
        set_(options, images, description_.side),
        validation_(set_, options.seed) {
    description_.labels = set_.label_names();
    description_.several_labels = set_.several_labels();
    ::torch::manual_seed(options.seed);
    network_ = make_network(description_);
    identity_ = training_identity(options, plan_, images, network_->assets());
    check_decoder(images);
    check_classifier();
    judge_.emplace(plan_, *network_, set_.several_labels());
    if (options.patience > 0) judge_->require_comparable_epochs(validation_);
    network_->to(device_);
    put_channels_last(*network_);
    optimizer_ = make_optimizer(plan_, *network_);
    loss_ = std::make_unique<BatchLoss>(plan_.objective, network_->code_bits(),
                                        set_.labels_of(set_.training_rows()), set_.several_labels(),
                                        options.balance_classes, options.seed);
    for (std::size_t i = 0; i < set_.training_rows().size(); ++i) place_[set_.training_rows()[i]] = i;
  }

  TrainedNetwork run() {
    begin();
    if (network_->has_fixed_features() && !options_.augmentation) {
      fixed_features_ = runner().features_of_all();
    }
    for (const auto& figures : progress_.epochs) announce(figures);
    while (progress_.epochs.size() < plan_.epochs && !is_stopped()) {
      run_epoch(progress_.epochs.size() + 1);
      if (!options_.checkpoint.empty()) {
        write_checkpoint(options_.checkpoint, description_, *network_, *optimizer_, progress_, identity_);
      }
      announce(progress_.epochs.back());
    }
    return finish();
  }

 private:
  RowRunner runner() const {
    return {*network_, set_, device_, plan_.batch, options_.threads, fixed_features_};
  }

  /// Neither a decoder's loss without a decoder nor targets without a loss are passed over.
  void check_decoder(const TrainingImages& images) const {
    const double weight = plan_.objective.reconstruction;
    if (weight > 0 && !network_->has_decoder()) {
      fail(ErrorCode::invalid_argument, "training: expected a reconstruction weight of 0 for network '",
           options_.network, "', which has no decoder, got ", weight);
    }
    if (images.load_target && weight == 0) {
      fail(ErrorCode::invalid_argument,
           "training: expected a reconstruction weight above 0 where a decoder's targets are given, got 0");
    }
  }

  void announce(const EpochFigures& figures) const {
    if (options_.on_epoch) options_.on_epoch(figures);
  }

  /// Goes on from the checkpoint, or else takes the weights that the backbone begins with.
  void begin() {
    if (!options_.checkpoint.empty() && std::filesystem::exists(options_.checkpoint)) {
      read_checkpoint(options_.checkpoint, *network_, *optimizer_, progress_, identity_);
    } else if (!options_.backbone_weights.empty()) {
      unused_weights_ = load_backbone_weights(*network_, options_.backbone_weights);
    }
  }

  bool is_stopped() const {
    return options_.patience > 0 && progress_.epochs.size() >= progress_.best_epoch + options_.patience;
  }

  LoadedBatch load(const std::vector<std::size_t>& rows, std::size_t epoch) const {
    LoadedBatch batch{rows, {}, {}};
    if (fixed_features_.defined()) return batch;
    batch.images = set_.batch(rows, epoch, options_.threads);
    if (loss_->needs_targets()) {
      batch.targets = set_.has_targets() ? set_.targets(rows, epoch, options_.threads) : batch.images;
    }
    return batch;
  }

  void run_epoch(std::size_t epoch) {
    const auto start = std::chrono::steady_clock::now();
    EpochFigures figures;
    figures.epoch = epoch;
    figures.learning_rate = learning_rate_of(plan_, epoch);
    set_learning_rate(*optimizer_, figures.learning_rate);
    ::torch::manual_seed(seed_for(options_.seed, epoch));
    network_->train();
    const auto batches = batches_of(set_.training_rows(), plan_.batch, options_.seed, epoch);
    BatchesAhead<LoadedBatch> ahead(batches.size(), [&](std::size_t b) { return load(batches[b], epoch); });
    double sum = 0;
    std::size_t seen = 0;
    for (std::size_t b = 0; b < batches.size(); ++b) {
      const LoadedBatch batch = ahead.next();
      const double share = static_cast<double>(b) / static_cast<double>(batches.size());
      sum += step(batch, epoch, b + 1,
                  (static_cast<double>(epoch - 1) + share) / static_cast<double>(plan_.epochs)) *
             static_cast<double>(batch.rows.size());
      seen += batch.rows.size();
      report(epoch, seen, sum / static_cast<double>(seen));
    }
    require_finite_weights(batches.back(), epoch, batches.size());
    figures.loss = sum / static_cast<double>(set_.training_rows().size());
    validation_.measure(runner(), figures);
    if (!judge_->learns_classes()) figures.accuracy = figures.area_under_curve = std::nullopt;
    figures.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    keep(figures);
  }

  /// Progress over all epochs, the mean loss of this one in its name.
  void report(std::size_t epoch, std::size_t seen, double loss) const {
    if (!options_.progress) return;
    const std::size_t rows = set_.training_rows().size();
    char stage[64];
    std::snprintf(stage, sizeof stage, "epoch %zu, loss %.4g", epoch, loss);
    if (!options_.progress({stage, (epoch - 1) * rows + seen, plan_.epochs * rows})) {
      fail(ErrorCode::cancelled, "training: cancelled in epoch ", epoch);
    }
  }

  /// One step of the optimizer. Returns the loss.
  double step(const LoadedBatch& batch, std::size_t epoch, std::size_t number, double progress) {
    std::vector<std::int64_t> numbers;  // of the rows among those that are trained on
    for (const auto row : batch.rows) numbers.push_back(static_cast<std::int64_t>(place_.at(row)));
    zero_gradients(*optimizer_);
    const NetworkOutput output =
        fixed_features_.defined()
            ? network_->forward_features(fixed_features_.index_select(0, places(batch.rows)).to(device_))
            : network_->forward(batch.images.to(device_));
    HashBatch hashed = {output.hash, set_.labels_of(batch.rows).to(device_), ::torch::tensor(numbers),
                        progress};
    for (const auto& slice : network_->hash_slices()) hashed.weights.push_back(slice.layer->weight);
    const Tensor loss =
        (*loss_)(output, hashed, batch.targets.defined() ? batch.targets.to(device_) : Tensor());
    const double value = loss.item<double>();
    if (!std::isfinite(value)) {
      fail(ErrorCode::unsupported, "training: the loss is ", value, " in epoch ", epoch, ", batch ", number,
           " (rows ", names_of(batch.rows), "); try a lower learning rate than ",
           learning_rate_of(plan_, epoch));
    }
    loss.backward();
    optimizer_->step();
    return value;
  }

  /// Of an epoch's last step no later loss tells: without this, the checkpoint before would be lost to weights that
  /// nothing can go on from.
  void require_finite_weights(std::span<const std::size_t> rows, std::size_t epoch,
                              std::size_t number) const {
    const auto name = name_of_tensor_not_finite(*network_);
    if (!name) return;
    fail(ErrorCode::unsupported, "training: the weights '", *name, "' are not finite after epoch ", epoch,
         ", batch ", number, " (rows ", names_of(rows), "); try a lower learning rate than ",
         learning_rate_of(plan_, epoch));
  }

  void keep(const EpochFigures& figures) {
    progress_.epochs.push_back(figures);
    const auto value = judge_->value_of(figures);
    if (value && progress_.best_epoch != 0 && *value <= progress_.best_value) return;
    progress_.best_epoch = figures.epoch;
    progress_.best_value = value.value_or(0);
    progress_.best = tensors_of(*network_);
  }

  TrainedNetwork finish() {
    if (progress_.best_epoch > 0) set_tensors(*network_, progress_.best);
    std::shared_ptr<const ClassGate> gate = judge_->learns_classes() ? calibrated_gate(runner()) : nullptr;
    description_.hash_learned = judge_->learns_hash();
    return {DeepModelBuilder::from_network(description_, network_, std::move(gate)),
            {progress_.epochs, progress_.best_epoch, is_stopped() && progress_.epochs.size() < plan_.epochs,
             set_.training_rows().size(), set_.validation_rows().size(), unused_weights_}};
  }

  void check_classifier() const {
    if (plan_.objective.classification > 0 || !network_->looks_through_classifier()) return;
    fail(ErrorCode::invalid_argument, "training: the network '", options_.network,
         "' looks where its classifier tells it: expected a weight of the classification above 0, got 0");
  }

  const TrainingOptions& options_;
  const TrainingPlan& plan_;
  ::torch::Device device_;
  NetworkDescription description_;
  TrainingSet set_;
  Validation validation_;
  std::string identity_;
  std::shared_ptr<Network> network_;
  std::optional<EpochJudge> judge_;
  std::unique_ptr<::torch::optim::Optimizer> optimizer_;
  std::unique_ptr<BatchLoss> loss_;
  Tensor fixed_features_;                     // of all rows, where training leaves them as they are
  std::map<std::size_t, std::size_t> place_;  // of a row among the training rows
  TrainingProgress progress_;
  std::vector<std::string> unused_weights_;
};

}  // namespace

void TrainingOptions::validate() const {
  const NetworkType& type = network_type(network);
  complete_parameters(network_options, type.options, "network '" + network + "'");
  plan_of(*this).validate();
  if (!(validation_share >= 0 && validation_share <= kMaximumValidation)) {
    fail(ErrorCode::invalid_argument, "training: expected a validation share of 0 to ", kMaximumValidation,
         ", got ", validation_share);
  }
  if (patience > 0 && validation_share == 0) {
    fail(ErrorCode::invalid_argument, "training: expected validation rows where patience is ", patience,
         ", got a validation share of 0");
  }
  if (balance_classes && plan_of(*this).objective.classification == 0) {
    fail(ErrorCode::invalid_argument,
         "training: expected a weight of the classification above 0 where classes are balanced, got 0");
  }
  if (augmentation) augmentation->validate();
}

TrainedNetwork train_network(const TrainingOptions& options, const TrainingImages& images) {
  options.validate();
  const ThreadScope threads(options.threads);
  return translated("training", [&] { return Trainer(options, images).run(); });
}

}  // namespace medretrieval::deep
