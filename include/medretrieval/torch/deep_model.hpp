/// \file
/// Trained networks: loaded from one file, they give features, codes, class posteriors and attention maps.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <medretrieval/class_gate.hpp>
#include <medretrieval/encoder.hpp>
#include <medretrieval/fingerprint.hpp>
#include <medretrieval/imaging/features.hpp>
#include <medretrieval/imaging/image.hpp>
#include <medretrieval/imaging/load.hpp>
#include <medretrieval/matrix.hpp>
#include <medretrieval/network_file.hpp>
#include <medretrieval/progress.hpp>

namespace medretrieval::deep {

class Network;

/// What a network says of images, a row each.
struct Analysis {
  Matrix features;    ///< rows x DeepModel::dimension()
  Matrix posteriors;  ///< rows x labels, 0 to 1; with one label a row, each row sums to 1
  /// Where the network looked, 0 to 1 within each image, as many pixels as the network has places; empty when it
  /// was not asked for.
  std::vector<imaging::Image> attention;
};

/// How to run a network.
struct AnalysisOptions {
  bool attention = false;  ///< keep the maps; not every network has them
  /// Images at a time. On the processor they are shared among the threads, which take at least 8 each where there are so
  /// many; features of an image differ by rounding between batches of different sizes.
  std::size_t batch = 32;
  int threads = 0;  ///< 0: all
  Progress progress = {};

  /// \throws Error (invalid_argument).
  void validate() const;
};

/// A trained network. Immutable, cheap to copy, thread-safe.
///
/// libtorch keeps a number of threads for each thread that calls it; while a function of this class runs, it is
/// `threads`, and afterwards what it was.
class DeepModel {
 public:
  /// \param device "cpu", or another that libtorch was built with, such as "cuda"
  /// \throws Error not_found, io, corrupt (cut, changed, or weights that do not fit the network), unsupported (a
  ///         newer format, a device that is not there), invalid_argument (no name of a device).
  static DeepModel load(const std::filesystem::path& file, const std::string& device = "cpu");
  /// Writes the one file that load() reads; an existing one is replaced as a whole or not at all.
  /// \throws Error (io).
  void save(const std::filesystem::path& file) const;

  const NetworkDescription& description() const noexcept;
  /// Of the file's content, weights included.
  const Fingerprint& fingerprint() const noexcept;
  /// Width of the features.
  std::size_t dimension() const noexcept;
  /// The hash layer as an encoder of the features. Codes are made by it alone, so that they are the same with and
  /// without libtorch.
  const std::shared_ptr<const Encoder>& encoder() const noexcept;
  /// The calibration of posteriors on rows whose loss was never minimized, though they chose the epoch; null: there
  /// were none, or nothing was learned of classes.
  const std::shared_ptr<const ClassGate>& gate() const noexcept;
  bool has_attention() const noexcept;

  /// Runs the network. Images are resized to its side: smaller by area means, larger bilinearly.
  /// \throws Error invalid_argument (an empty image or one not in display units; maps from a network without
  ///         attention), unsupported (values that are not finite come out), cancelled.
  Analysis analyse(std::span<const imaging::Image> images, const AnalysisOptions& options = {}) const;
  /// Loads and runs; every thread loads files while others run the network.
  /// \throws Error as above, and of the first file (lowest index) that fails.
  Analysis analyse_files(std::span<const std::filesystem::path> files, const imaging::LoadOptions& load = {},
                         const AnalysisOptions& options = {}) const;

 private:
  friend class DeepModelBuilder;
  struct State;
  explicit DeepModel(std::shared_ptr<const State> state) : state_(std::move(state)) {}

  std::shared_ptr<const State> state_;
};

/// The name of FeatureSource for features of a network.
inline constexpr std::string_view kNetworkFeatures = "network";

/// A network as a feature extractor. Its parameters name the network file by fingerprint.
class NetworkExtractor final : public imaging::FeatureExtractor {
 public:
  explicit NetworkExtractor(DeepModel model) : model_(std::move(model)) {}

  std::string_view name() const noexcept override { return kNetworkFeatures; }
  /// {"fingerprint": "<32 hexadecimal digits>"}
  std::string parameters() const override;
  std::size_t dimension() const noexcept override { return model_.dimension(); }
  void extract(const imaging::Image& image, std::span<float> feature) const override;
  const DeepModel& model() const noexcept { return model_; }

 private:
  DeepModel model_;
};

}  // namespace medretrieval::deep
