// Networks need libtorch, which takes a third of a second and 150 MB to load. So there are two commands of the same
// sources: `medretrieval` without it, and beside it `medretrieval-deep` with it. The first becomes the second, with the
// same command line, when a network is asked for.
#pragma once

namespace medretrieval::cli {

/// What main() was called with, for continue_with_networks(), which is called at once for the subcommands train and
/// pointing-game.
/// \throws Error as continue_with_networks().
void take_command_line(int count, char** arguments);

/// Becomes `medretrieval-deep`. To be called before anything was written.
/// \throws Error (unsupported) when it is not there: this program was built or installed without it.
[[noreturn]] void continue_with_networks();

}  // namespace medretrieval::cli
