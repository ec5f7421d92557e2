// Which fragments of encapsulated pixel data make up which frame.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace medretrieval::imaging {

using Bytes = std::span<const std::uint8_t>;

/// The number of fragments of each frame, in order (PS3.5 A.4): one each where the counts agree, all of them
/// where there is one frame and one stream; else as the Basic Offset Table says; else, without a table, a
/// frame begins where a fragment begins with the first marker of a JPEG, JPEG-LS or JPEG 2000 stream.
/// \param offset_table the first item's value, may be empty
/// \throws Error (corrupt) when none of this gives `frames` frames, or one frame would have several streams.
std::vector<std::size_t> fragments_per_frame(std::span<const Bytes> fragments, Bytes offset_table,
                                             std::size_t frames);

}  // namespace medretrieval::imaging
