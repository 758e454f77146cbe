// SPDX-License-Identifier: GPL-2.0
/*
 * What the tracepoints of trace.h do when they are on.
 */
#define CREATE_TRACE_POINTS
#include "trace.h"
