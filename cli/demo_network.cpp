#include "demo_network.hpp"

#include <medretrieval/torch/training.hpp>

#include "demo_methods.hpp"
#include "network_features.hpp"
#include "progress_line.hpp"
#include "training_images.hpp"
#include "training_log.hpp"

namespace medretrieval::cli {

namespace {

eval::LineChart curve(const std::string& title, const std::string& y_label) {
  eval::LineChart chart;
  chart.title = title;
  chart.x_label = "epoch";
  chart.y_label = y_label;
  chart.x_first = 1;
  return chart;
}

std::vector<eval::LineChart> curves_of(const std::vector<deep::EpochFigures>& epochs,
                                       const std::string& network) {
  eval::ChartLine loss = {"loss", {}};
  eval::ChartLine map = {"mAP of held-out images", {}};
  eval::ChartLine accuracy = {"accuracy of held-out images", {}};
  eval::ChartLine area = {"area under the ROC curve of held-out images", {}};
  for (const auto& epoch : epochs) {
    loss.values.push_back(epoch.loss);
    if (epoch.map) map.values.push_back(*epoch.map);
    if (epoch.accuracy) accuracy.values.push_back(*epoch.accuracy);
    if (epoch.area_under_curve) area.values.push_back(*epoch.area_under_curve);
  }
  std::vector<eval::LineChart> charts = {curve(network + ": loss", "loss"),
                                         curve(network + ": held-out patients", "share")};
  charts[0].lines = {loss};
  charts[1].lines = {map, area.values.empty() ? accuracy : area};
  return charts;
}

}  // namespace

void check_demo_network(const DemoNetworkOptions& options) {
  deep::network_type(options.network);
}

DemoNetwork train_for_demo(const Dataset& dataset, const DemoNetworkOptions& options,
                           const std::filesystem::path& file) {
  deep::TrainingOptions training;
  training.network = options.network;
  training.bits = kDemoBits;
  training.labels = dataset.vocabulary();
  training.plan = deep::network_type(options.network).plan;
  training.plan->epochs = options.epochs;
  training.threads = options.threads;
  training.progress = progress_line();
  training.on_epoch = log_epoch;
  const auto rows = training_rows(dataset.manifest());
  const auto trained = deep::train_network(training, training_images(dataset.manifest(), rows));
  trained.model.save(file);
  return {network_features(file, "cpu"), curves_of(trained.report.epochs, options.network)};
}

}  // namespace medretrieval::cli
