#ifndef FLORANA_CLONES_H
#define FLORANA_CLONES_H

// One copy of a kernel for each generation of x86-64; the loader picks at start, so that no build flag
// names a CPU. The resolvers run before ThreadSanitizer is up and crash there.
#ifndef __has_feature
#define __has_feature(feature) 0
#endif
#if defined(__x86_64__) && defined(__linux__) && !__has_feature(thread_sanitizer)
#define FK_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FK_CLONES
#endif

// Sums may be regrouped and multiplications fused: without it no loop with a sum is vectorised.
#define FK_FAST_MATH _Pragma("clang fp reassociate(on) contract(fast)")

#endif
