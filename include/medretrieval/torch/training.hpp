/// \file
/// Training of networks: from images and labels to a DeepModel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <medretrieval/imaging/augment.hpp>
#include <medretrieval/imaging/image.hpp>
#include <medretrieval/progress.hpp>
#include <medretrieval/torch/deep_model.hpp>
#include <medretrieval/torch/network_type.hpp>

namespace medretrieval::deep {

/// What a network learns from. Every vector has an element for each image.
struct TrainingImages {
  /// The image of a row in display units; called from several threads, and again in every epoch when the images do
  /// not fit TrainingOptions::cache_bytes.
  std::function<imaging::Image(std::size_t row)> load;
  std::vector<std::vector<std::string>>
      labels;  ///< one or several each; rows without any help the decoder, and are like no other row to the hash
  std::vector<std::string> patients;  ///< empty names: unknown, such rows stand alone
  /// What image and target of a row are, a path with size and date say: a checkpoint goes on only with the same. Empty:
  /// not looked at, and the caller sees to it.
  std::vector<std::string> sources = {};
  /// What a decoder learns to draw, a nodule's mask say, as wide as the image; empty: the image itself. Only where
  /// Objective::reconstruction is above 0.
  std::function<imaging::Image(std::size_t row)> load_target;
};

/// The figures of one epoch.
struct EpochFigures {
  std::size_t epoch = 0;  ///< from 1
  double loss = 0;        ///< mean over the images
  /// Of the validation rows: mean average precision of their codes among those of the training rows (at most
  /// 2,000, drawn once), ties by expectation, relevant is who shares a label, the own patient left out. Nothing
  /// without validation rows that have relevant ones.
  std::optional<double> map;
  /// Share of the validation rows whose most probable label is right; with several labels a row, share of the labels
  /// told right at a posterior of 0.5.
  std::optional<double> accuracy;
  /// With several labels a row: area under the ROC curve (eval::area_under_curve()), mean over the labels that some
  /// validation rows have and others do not, weighted by how many have them: of a label that one row has, chance decides.
  std::optional<double> area_under_curve;
  double learning_rate = 0;
  double seconds = 0;  ///< of this epoch, validation included
};

/// A JSON object of the figures by name, on one line; null where there is none.
std::string to_json(const EpochFigures& figures);

struct TrainingOptions {
  std::string network = "attention-cnn-bilstm";
  Parameters network_options = {};  ///< those left out take the preset's values
  std::size_t side = 0;             ///< of the input in pixels; 0: the preset's
  std::size_t bits = 64;            ///< of the code
  /// Weights that the backbone of a residual network or VGG-16 begins with, under torchvision's names, as Python's
  /// torch.save(dict(model.state_dict()), file) writes them; empty: drawn by the seed. A training that goes on from a
  /// checkpoint needs the same file.
  std::filesystem::path backbone_weights = {};
  std::optional<TrainingPlan> plan = {};  ///< none: the preset's
  std::vector<std::string> labels =
      {};                         ///< the classes; empty: the labels of the rows in order of appearance
  double validation_share = 0.2;  ///< of the patients, 0 to 0.5; no patient is on both sides
  std::size_t patience = 0;       ///< epochs without a better one before it stops; 0: never
  /// Rare classes weigh more in the classification loss, which there must be.
  bool balance_classes = false;
  std::optional<imaging::AugmentationOptions> augmentation =
      {};                  ///< of every training image, anew in each epoch
  std::uint64_t seed = 1;  ///< of weights, order, dropout, augmentation, split and what losses draw
  std::string device = "cpu";
  int threads = 0;                                 ///< 0: all
  std::size_t cache_bytes = std::size_t{1} << 31;  ///< resized images are kept in memory up to this
  /// A file to write after every epoch. When it is there, the training goes on from it and ends as if it had never
  /// stopped; empty: none.
  std::filesystem::path checkpoint = {};
  std::function<void(const EpochFigures&)> on_epoch = {};  ///< after every epoch, also those of a checkpoint
  Progress progress = {};                                  ///< counts images of all epochs

  /// \throws Error (invalid_argument) naming the field, its range and its value; not_found (network, loss).
  void validate() const;
};

/// What a training was.
struct TrainingReport {
  std::vector<EpochFigures> epochs;
  std::size_t best_epoch = 0;  ///< whose weights were kept, see train_network(); 0: no epoch was run
  bool stopped_early = false;
  std::size_t training_rows = 0;
  std::size_t validation_rows = 0;
  /// Names in TrainingOptions::backbone_weights that the backbone does not have, its old classifier's say. Empty
  /// too after a training that went on from a checkpoint.
  std::vector<std::string> unused_weights = {};
};

/// A trained network and how it came to be.
struct TrainedNetwork {
  DeepModel model;
  TrainingReport report;
};

/// Trains a network and keeps the weights of the best epoch: by mAP where there is a hashing loss; without one by
/// accuracy (with several labels a row by the area under the ROC curve), or by the mean of both where the classifier
/// stands on the hash layer; of equal ones the first, and the last where held-out rows tell nothing. With the same
/// options, images, libtorch and number of threads it gives the same weights, also when it was interrupted and goes on
/// from its checkpoint.
///
/// libtorch's random generator, which belongs to the whole program, is seeded, and its number of threads set for the length
/// of the call.
/// \throws Error invalid_argument (options; sizes that differ; fewer than two rows or labels; a reconstruction weight
///         for a network without a decoder; targets without such a weight; patience where the held-out rows tell
///         nothing; balanced classes, or a network that looks where its classifier tells it, without a weight of
///         the classification), not_found (a label outside
///         TrainingOptions::labels; the backbone's weights), incompatible (a checkpoint of other options,
///         weights or images; weights of another backbone: the name is given), corrupt (a damaged checkpoint, an
///         image, a file of weights), unsupported (the loss or a weight is no longer finite: epoch, batch and rows
///         are named, the checkpoint before stays; what libtorch refuses, such as a batch of one row before a batch
///         normalization; weights for a network without a backbone that takes them),
///         limit_exceeded (a file of weights above 4 GiB), io (the checkpoint cannot be written; the one before
///         stays), cancelled.
TrainedNetwork train_network(const TrainingOptions& options, const TrainingImages& images);

}  // namespace medretrieval::deep
