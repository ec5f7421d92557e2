// What the kinds of phantom share: seeds, and one drawing function each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <medretrieval/imaging/phantom.hpp>

#include "base/random.hpp"

namespace medretrieval::imaging::phantom {

/// Pixels of the square image: the option, or the kind's own.
std::size_t drawn_side(const PhantomOptions& options);

/// A stream of its own for every patient (part 0) and for each of the patient's images (part 1 and up), so
/// that images can be drawn in any order.
detail::Random random_stream(const PhantomOptions& options, std::size_t patient, std::size_t part);

/// The drawing for PhantomKind::chest_ct; the image, labels and attributes are set.
PhantomImage draw_chest_ct(const PhantomOptions& options, std::size_t patient, std::size_t index);

/// The drawing for PhantomKind::chest_xray.
PhantomImage draw_chest_xray(const PhantomOptions& options, std::size_t patient, std::size_t index);

}  // namespace medretrieval::imaging::phantom
