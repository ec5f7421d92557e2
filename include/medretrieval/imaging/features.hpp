/// \file
/// Feature extractors: an image in, one vector out.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <medretrieval/imaging/image.hpp>
#include <medretrieval/imaging/load.hpp>
#include <medretrieval/matrix.hpp>
#include <medretrieval/progress.hpp>

namespace medretrieval::imaging {

/// Turns a display image into a feature vector. Immutable and thread-safe.
class FeatureExtractor {
 public:
  virtual ~FeatureExtractor() = default;
  /// The registered name, for example "classical".
  virtual std::string_view name() const noexcept = 0;
  /// The parameters as a JSON object, every one of them written out; with the name enough to make it again.
  virtual std::string parameters() const = 0;
  virtual std::size_t dimension() const noexcept = 0;
  /// Writes `dimension()` finite values to `feature`. The same pixels give the same bits on any thread.
  /// \throws Error (invalid_argument) when the image is empty or not in display units, a pixel is not within
  ///         0..1, or `feature` has another length.
  virtual void extract(const Image& image, std::span<float> feature) const = 0;
};

/// The extractor of that name with those parameters (a JSON object; absent ones take their defaults).
///
/// "classical": edges, texture and brightness without training. An image of any shape is resized to a square
/// of `side` pixels (64 to 256 in steps of 16, default 96); `cells` (2 to 4, default 4) is the grid of the
/// edge histograms. 128 + 32 (cells - 1)^2 dimensions, so 416 by default and always a multiple of 16;
/// Euclidean distance compares them.
/// \throws Error not_found (the message lists the known names), invalid_argument (unknown or out-of-range
///        parameter).
std::unique_ptr<FeatureExtractor> make_feature_extractor(std::string_view name,
                                                         std::string_view parameters = "{}");

/// The registered names.
std::vector<std::string> feature_extractor_names();

/// Loads and extracts many files over `threads` threads (0: all). Row i is file i's.
/// \throws Error of the first file (lowest index) that fails, its path in the message; cancelled.
Matrix extract_features(const FeatureExtractor& extractor, std::span<const std::filesystem::path> files,
                        const LoadOptions& options = {}, int threads = 0, const Progress& progress = {});

}  // namespace medretrieval::imaging
