/* Preloaded into a process (LD_PRELOAD), it moves the wall clock and slows the disk of it: by the two numbers in the
 * file that $DAYBOOK_UPSET names, milliseconds ahead and microseconds that each sync takes longer. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

struct upset {
    volatile int64_t ahead_milliseconds, sync_microseconds;
};

static const struct upset *upset;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("DAYBOOK_UPSET");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *map = mmap(0, sizeof *upset, PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (map != MAP_FAILED) upset = map;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, time);
    if (result || clock != CLOCK_REALTIME || !upset) return result;
    int64_t nanoseconds = time->tv_nsec + upset->ahead_milliseconds % 1000 * 1000000;
    time->tv_sec += upset->ahead_milliseconds / 1000 + (nanoseconds >= 1000000000) - (nanoseconds < 0);
    time->tv_nsec = (nanoseconds + 1000000000) % 1000000000;
    return 0;
}

/* Its deadline was counted from that clock. */
int sem_timedwait(sem_t *semaphore, const struct timespec *deadline) {
    static int (*real)(sem_t *, const struct timespec *);
    if (!real) real = (int (*)(sem_t *, const struct timespec *))dlsym(RTLD_NEXT, "sem_timedwait");
    struct timespec true_deadline = *deadline;
    if (upset) true_deadline.tv_sec -= upset->ahead_milliseconds / 1000;
    return real(semaphore, &true_deadline);
}

static void delay(void) {
    if (upset && upset->sync_microseconds) usleep((useconds_t)upset->sync_microseconds);
}

int fdatasync(int file) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    delay();
    return real(file);
}

int fsync(int file) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    delay();
    return real(file);
}
