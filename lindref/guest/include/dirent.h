/* POSIX: directories. */
#ifndef _DIRENT_H
#define _DIRENT_H

#include <features.h>
#include <bits/alltypes.h>

__BEGIN_DECLS

#define DT_UNKNOWN 0
#define DT_FIFO 1
#define DT_CHR 2
#define DT_DIR 4
#define DT_BLK 6
#define DT_REG 8
#define DT_LNK 10
#define DT_SOCK 12
#define DT_WHT 14
#define IFTODT(mode) (((mode) & 0170000) >> 12)
#define DTTOIF(type) ((type) << 12)

typedef struct __lind_dir DIR;

/* 268 bytes. */
struct dirent {
    ino_t d_ino;
    off_t d_off;
    unsigned short d_reclen;
    unsigned char d_type;
    char d_name[256];
};

DIR *opendir(const char *path);
DIR *fdopendir(int fd);
struct dirent *readdir(DIR *dir);
int readdir_r(DIR *restrict dir, struct dirent *restrict entry, struct dirent **restrict result);
int closedir(DIR *dir);
int dirfd(DIR *dir);
void rewinddir(DIR *dir);
long telldir(DIR *dir);
void seekdir(DIR *dir, long position);
int scandir(const char *path, struct dirent ***list, int (*wanted)(const struct dirent *),
            int (*compare)(const struct dirent **, const struct dirent **));
int versionsort(const struct dirent **left, const struct dirent **right);
int alphasort(const struct dirent **left, const struct dirent **right);
ssize_t getdents64(int fd, void *buffer, size_t size);

__END_DECLS

#endif
