/// \file
/// Vector files of the field: NumPy's npy and the fvecs and ivecs of the TEXMEX sets.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include <medretrieval/matrix.hpp>

namespace medretrieval {

/// Reads a one- or two-dimensional C-ordered array of little-endian float32 or float64 (rounded to float32).
/// A one-dimensional array becomes one row.
/// \throws Error not_found, io, corrupt, unsupported (another element type, Fortran order, more dimensions).
Matrix read_npy(const std::filesystem::path& file);

/// Writes float32, two-dimensional.
/// \throws Error (io).
void write_npy(const std::filesystem::path& file, MatrixView matrix);

/// Reads float vectors: for each a 32-bit width and that many float32.
/// \throws Error not_found, io, corrupt (cut, or widths that differ).
Matrix read_fvecs(const std::filesystem::path& file);

/// Reads integer vectors: for each a 32-bit width and that many 32-bit integers.
/// \throws Error as read_fvecs().
std::vector<std::vector<std::int32_t>> read_ivecs(const std::filesystem::path& file);

}  // namespace medretrieval
