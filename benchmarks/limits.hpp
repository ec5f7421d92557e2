// What the machine can do at best, measured in the same process: the rooflines of the scans.
#pragma once

#include <cstddef>
#include <cstdint>

namespace benchmarks {

/// Seconds that `threads` threads need to read `bytes` bytes once: a plain sum.
double seconds_to_read(const std::uint8_t* data, std::size_t bytes, int threads);

/// Seconds that one thread needs for the bare operations of a scan over `bytes` bytes of codes that lie in the first-level
/// cache: exclusive or, bit count and addition of 64-bit words, or two shuffles of half bytes and two saturating
/// additions. 0 where the processor has no 512-bit ones.
double seconds_to_count_bits(std::size_t bytes);
double seconds_to_shuffle(std::size_t bytes);

}  // namespace benchmarks
