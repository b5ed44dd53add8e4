/* Moves the wall clock of one process, for the fixtures of tests/upgrade: posts can be scheduled only
 * for the next 75 days, and those of a fixture must still wait when the tests of later years read
 * them. CLOCK_OFFSET_S is how many seconds are added; monotonic clocks are not changed.
 *
 *   cc -shared -fPIC -o clock.so clock.c -ldl
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *now) {
    int (*real)(clockid_t, struct timespec *) = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int failed = real(clock, now);
    const char *offset = getenv("CLOCK_OFFSET_S");
    if (!failed && clock == CLOCK_REALTIME && offset) {
        now->tv_sec += atoll(offset);
    }
    return failed;
}
