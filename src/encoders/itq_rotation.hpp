// The alternating minimisation of ITQ, apart from the encoder so that its objective can be watched.
#pragma once

#include <cstdint>
#include <medretrieval/matrix.hpp>
#include <medretrieval/progress.hpp>
#include <vector>

namespace medretrieval::encoders {

struct ItqRotation {
  Matrix rotation;                ///< bits x bits, orthogonal
  std::vector<double> objective;  ///< |B - V R|^2 after each update of B; never rises
};

/// Finds R minimising |B - V R|^2 over B = sign(V R) and rotations R, in turn (Gong et al. 2013, equation 2),
/// from a random rotation.
/// \param projected V: n x bits, centred
ItqRotation find_itq_rotation(MatrixView projected, std::size_t iterations, std::uint64_t seed, int threads,
                              const Progress& progress);

}  // namespace medretrieval::encoders
