// The head of a stored encoder.
#pragma once

#include <medretrieval/bytes.hpp>
#include <string>

namespace medretrieval::encoders {

/// Reads mark, version and type of an encoder's bytes.
/// \throws Error corrupt, unsupported (a newer format).
std::string read_type(ByteReader& reader);

}  // namespace medretrieval::encoders
