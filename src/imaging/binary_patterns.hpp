// Local binary patterns (Ojala, Pietikainen and Maenpaa, PAMI 2002): what texture a region has.
#pragma once

#include <cstddef>
#include <medretrieval/imaging/image.hpp>
#include <span>

namespace medretrieval::imaging {

/// Rotation-invariant uniform patterns of eight neighbours: 0 to 8 brighter neighbours in one arc, and the
/// rest.
inline constexpr std::size_t kPatternBins = 10;

/// The square roots of the patterns' shares (so that Euclidean distance is Hellinger distance) in `cells` x
/// `cells` regions of a square display image of side 3 or more; the whole has Euclidean norm 1.
/// \param histogram cells * cells * kPatternBins values
void pattern_histogram(const Image& image, std::size_t cells, std::span<float> histogram);

}  // namespace medretrieval::imaging
