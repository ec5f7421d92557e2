/// \file
/// Everything of the core.
#pragma once

#include <medretrieval/bytes.hpp>
#include <medretrieval/class_gate.hpp>
#include <medretrieval/coarse_quantizer.hpp>
#include <medretrieval/codes.hpp>
#include <medretrieval/cpu.hpp>
#include <medretrieval/encoder.hpp>
#include <medretrieval/error.hpp>
#include <medretrieval/filter.hpp>
#include <medretrieval/fingerprint.hpp>
#include <medretrieval/gallery.hpp>
#include <medretrieval/index.hpp>
#include <medretrieval/item.hpp>
#include <medretrieval/item_id.hpp>
#include <medretrieval/labels.hpp>
#include <medretrieval/matrix.hpp>
#include <medretrieval/model.hpp>
#include <medretrieval/parameters.hpp>
#include <medretrieval/progress.hpp>
#include <medretrieval/scorer.hpp>
#include <medretrieval/searcher.hpp>
#include <medretrieval/stored_features.hpp>
#include <medretrieval/tuning.hpp>
#include <medretrieval/vector_files.hpp>
#include <medretrieval/version.hpp>
