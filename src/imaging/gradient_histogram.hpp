// Histograms of oriented gradients (Dalal and Triggs, CVPR 2005), with eight signed directions.
#pragma once

#include <cstddef>
#include <medretrieval/imaging/image.hpp>
#include <span>

namespace medretrieval::imaging {

inline constexpr std::size_t kGradientDirections = 8;

/// Of `cells` x `cells` cells in overlapping blocks of 2 x 2: (cells - 1)^2 * 4 * kGradientDirections.
std::size_t gradient_histogram_size(std::size_t cells) noexcept;

/// Where the edges of a square display image lie and which way they face. Every block is normalised by itself
/// (L2-hys), so lighting and contrast matter little; the whole has a Euclidean norm of at most 1.
/// \param cells 2 or more a side
/// \param histogram gradient_histogram_size(cells) values
void gradient_histogram(const Image& image, std::size_t cells, std::span<float> histogram);

}  // namespace medretrieval::imaging
