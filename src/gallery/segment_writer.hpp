// Writes the rows of a source as one segment.
#pragma once

#include <medretrieval/model.hpp>
#include <medretrieval/progress.hpp>

#include "gallery/row_source.hpp"
#include "io/section_file.hpp"

namespace medretrieval::gallery {

/// Orders the rows by (primary class, id) and writes them. Columns without a value are left out.
/// \return the segment's checksum
Fingerprint write_segment(const RowSource& source, const Model& model, io::ByteSink& sink,
                          const Progress& progress);

}  // namespace medretrieval::gallery
