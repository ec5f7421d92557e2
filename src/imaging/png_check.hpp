// Whether a PNG file is whole, without unfolding its pixels.
#pragma once

#include <filesystem>

namespace medretrieval::imaging {

/// True for a grey PNG of so many bits a sample whose chunks all have their checksums, from the header to the
/// end mark; false for anything else, and for a file that cannot be read.
bool is_whole_grey_png(const std::filesystem::path& file, int bits);

}  // namespace medretrieval::imaging
