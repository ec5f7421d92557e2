// Progress of long calls as one line on standard error, and cancelling by Ctrl-C.
#pragma once

#include <medretrieval/progress.hpp>

namespace medretrieval::cli {

/// A callback that draws a line while standard error is a terminal, and asks to stop once cancellation was
/// requested.
Progress progress_line();

/// A signal handler: the running call ends at its next report.
void request_cancellation(int signal);

}  // namespace medretrieval::cli
