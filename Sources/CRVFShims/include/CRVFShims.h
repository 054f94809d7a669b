/* System calls that Swift cannot import from the C library's module: they hide behind
   feature macros, are variadic, or are macros themselves. Thin forwards, nothing else.
   Each returns what the system call returns, and leaves errno as it left it. */
#ifndef CRVFSHIMS_H
#define CRVFSHIMS_H

#if defined(__linux__)
#include "CRVFShimsLinux.h"
#elif defined(__APPLE__)
#include "CRVFShimsDarwin.h"
#endif

#endif
