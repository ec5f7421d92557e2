/// \file
/// The library's version.
#pragma once

namespace medretrieval {

/// For example "0.1.0". File formats have versions of their own.
const char* version() noexcept;

}  // namespace medretrieval
