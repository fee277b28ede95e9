/* Storage that fails: preloaded into a program, steered through memory that a test shares with it.
 *
 * What is done to files whose path matches fails, is held up, or passes and is counted. The layout of the
 * shared memory is that of tests/kit/storage_faults.py.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum { OPEN = 1, WRITE = 2, TRUNCATE = 4, SYNC = 8 };

struct rule {
    int32_t calls;     /* which fail, or are held up */
    int32_t number;    /* errno; 0 lets them pass */
    int32_t times;     /* failures left; negative is without end */
    int32_t growing;   /* only what makes a file longer fails, as with a quota */
    int32_t stalled;   /* they wait for as long as this is set */
    int32_t waiting;   /* calls that wait now */
    int64_t after;     /* bytes that are written well before */
    int64_t written;   /* bytes so far */
    int64_t failed;    /* calls so far */
    int64_t synced;    /* calls of fsync and fdatasync that went well */
    char pattern[256]; /* of paths, as fnmatch has it */
};

static volatile struct rule *rule;

__attribute__((constructor)) static void attach(void) {
    const char *name = getenv("STORAGE_FAULTS");
    int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
    int fd = name == NULL ? -1 : real(name, O_RDWR);
    if (fd < 0)
        return;
    void *at = mmap(NULL, sizeof(struct rule), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (at != MAP_FAILED)
        rule = at;
}

static int is_meant(const char *path) {
    return rule != NULL && rule->pattern[0] != 0 && fnmatch((const char *)rule->pattern, path, 0) == 0;
}

static __attribute__((noinline)) int is_meant_path_of(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    return is_meant(path);
}

/* Signal handlers write too, to a socket, and have little stack. */
static int is_meant_file(int fd) {
    struct stat now;
    if (rule == NULL || rule->pattern[0] == 0 || fstat(fd, &now) != 0 || !S_ISREG(now.st_mode))
        return 0;
    return is_meant_path_of(fd);
}

/* Whether a call is to fail; waits first if it is to be held up. */
static int fails(int call, int grows) {
    if ((rule->calls & call) == 0 || rule->written < rule->after)
        return 0;
    if (rule->stalled) {
        __atomic_add_fetch(&rule->waiting, 1, __ATOMIC_SEQ_CST);
        while (rule->stalled)
            usleep(2000);
        __atomic_sub_fetch(&rule->waiting, 1, __ATOMIC_SEQ_CST);
    }
    if (rule->number == 0 || rule->times == 0 || (rule->growing && !grows))
        return 0;
    if (rule->times > 0)
        __atomic_sub_fetch(&rule->times, 1, __ATOMIC_SEQ_CST);
    __atomic_add_fetch(&rule->failed, 1, __ATOMIC_SEQ_CST);
    errno = rule->number;
    return 1;
}

static int grows_to(int fd, off_t end) {
    struct stat now;
    return fstat(fd, &now) == 0 && end > now.st_size;
}

static void count(ssize_t done) {
    if (done > 0)
        __atomic_add_fetch(&rule->written, done, __ATOMIC_SEQ_CST);
}

#define PWRITE(name)                                                                        \
    ssize_t name(int fd, const void *data, size_t size, off_t at) {                         \
        static ssize_t (*real)(int, const void *, size_t, off_t);                           \
        if (real == NULL)                                                                   \
            real = dlsym(RTLD_NEXT, #name);                                                 \
        if (!is_meant_file(fd))                                                             \
            return real(fd, data, size, at);                                                \
        if (fails(WRITE, grows_to(fd, at + (off_t)size)))                                   \
            return -1;                                                                      \
        ssize_t done = real(fd, data, size, at);                                            \
        count(done);                                                                        \
        return done;                                                                        \
    }
PWRITE(pwrite)
PWRITE(pwrite64)

ssize_t write(int fd, const void *data, size_t size) {
    static ssize_t (*real)(int, const void *, size_t);
    if (real == NULL)
        real = dlsym(RTLD_NEXT, "write");
    if (!is_meant_file(fd))
        return real(fd, data, size);
    if (fails(WRITE, grows_to(fd, lseek(fd, 0, SEEK_CUR) + (off_t)size)))
        return -1;
    ssize_t done = real(fd, data, size);
    count(done);
    return done;
}

#define SYNCING(name)                                                                       \
    int name(int fd) {                                                                      \
        static int (*real)(int);                                                            \
        if (real == NULL)                                                                   \
            real = dlsym(RTLD_NEXT, #name);                                                 \
        if (!is_meant_file(fd))                                                             \
            return real(fd);                                                                \
        if (fails(SYNC, 0))                                                                 \
            return -1;                                                                      \
        __atomic_add_fetch(&rule->synced, 1, __ATOMIC_SEQ_CST);                             \
        return real(fd);                                                                    \
    }
SYNCING(fsync)
SYNCING(fdatasync)

#define TRUNCATING(name)                                                                    \
    int name(int fd, off_t size) {                                                          \
        static int (*real)(int, off_t);                                                     \
        if (real == NULL)                                                                   \
            real = dlsym(RTLD_NEXT, #name);                                                 \
        return is_meant_file(fd) && fails(TRUNCATE, grows_to(fd, size)) ? -1 : real(fd, size); \
    }
TRUNCATING(ftruncate)
TRUNCATING(ftruncate64)

#define OPENING(name)                                                                       \
    int name(const char *path, int flags, ...) {                                            \
        static int (*real)(const char *, int, ...);                                         \
        if (real == NULL)                                                                   \
            real = dlsym(RTLD_NEXT, #name);                                                 \
        va_list more;                                                                       \
        va_start(more, flags);                                                              \
        mode_t mode = va_arg(more, mode_t);                                                 \
        va_end(more);                                                                       \
        int writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT) != 0;             \
        return writes && is_meant(path) && fails(OPEN, 1) ? -1 : real(path, flags, mode);   \
    }
OPENING(open)
OPENING(open64)
