/* C11 7.21 and POSIX: streams. */
#ifndef _STDIO_H
#define _STDIO_H

#include <features.h>
#include <stdarg.h>
#include <stddef.h>
#include <bits/alltypes.h>

__BEGIN_DECLS

typedef struct __lind_file FILE;
typedef struct {
    long __offset;
} fpos_t;

extern FILE *stdin;
extern FILE *stdout;
extern FILE *stderr;
#define stdin stdin
#define stdout stdout
#define stderr stderr

#define EOF (-1)
#define BUFSIZ 8192
#define FILENAME_MAX 4096
#define FOPEN_MAX 16
#define L_tmpnam 20
#define L_ctermid 9
#define TMP_MAX 238328
#define P_tmpdir "/tmp"
#define SEEK_SET 0
#define SEEK_CUR 1
#define SEEK_END 2
#define _IOFBF 0
#define _IOLBF 1
#define _IONBF 2

FILE *fopen(const char *restrict path, const char *restrict mode);
FILE *fdopen(int fd, const char *mode);
FILE *freopen(const char *restrict path, const char *restrict mode, FILE *restrict file);
FILE *fmemopen(void *restrict buffer, size_t size, const char *restrict mode);
FILE *open_memstream(char **buffer, size_t *size);
FILE *popen(const char *command, const char *mode);
int pclose(FILE *file);
FILE *tmpfile(void);
char *tmpnam(char *name);
char *tempnam(const char *directory, const char *prefix);
char *ctermid(char *name);
int fclose(FILE *file);
int fflush(FILE *file);
int fflush_unlocked(FILE *file);
int fileno(FILE *file);
void setbuf(FILE *restrict file, char *restrict buffer);
void setbuffer(FILE *file, char *buffer, size_t size);
void setlinebuf(FILE *file);
int setvbuf(FILE *restrict file, char *restrict buffer, int mode, size_t size);

size_t fread(void *restrict to, size_t size, size_t count, FILE *restrict file);
size_t fwrite(const void *restrict from, size_t size, size_t count, FILE *restrict file);
size_t fread_unlocked(void *restrict to, size_t size, size_t count, FILE *restrict file);
size_t fwrite_unlocked(const void *restrict from, size_t size, size_t count, FILE *restrict file);
int fgetc(FILE *file);
int getc(FILE *file);
int getc_unlocked(FILE *file);
int getchar(void);
int getchar_unlocked(void);
int ungetc(int c, FILE *file);
char *fgets(char *restrict text, int size, FILE *restrict file);
ssize_t getdelim(char **restrict line, size_t *restrict size, int delimiter, FILE *restrict file);
ssize_t getline(char **restrict line, size_t *restrict size, FILE *restrict file);
int fputc(int c, FILE *file);
int putc(int c, FILE *file);
int putc_unlocked(int c, FILE *file);
int putchar(int c);
int putchar_unlocked(int c);
int fputs(const char *restrict text, FILE *restrict file);
int fputs_unlocked(const char *restrict text, FILE *restrict file);
int puts(const char *text);
int getw(FILE *file);
int putw(int word, FILE *file);

int fseek(FILE *file, long offset, int whence);
int fseeko(FILE *file, off_t offset, int whence);
long ftell(FILE *file);
off_t ftello(FILE *file);
void rewind(FILE *file);
int fgetpos(FILE *restrict file, fpos_t *restrict position);
int fsetpos(FILE *file, const fpos_t *position);
int feof(FILE *file);
int ferror(FILE *file);
void clearerr(FILE *file);
int feof_unlocked(FILE *file);
int ferror_unlocked(FILE *file);
void clearerr_unlocked(FILE *file);
int fileno_unlocked(FILE *file);
void flockfile(FILE *file);
int ftrylockfile(FILE *file);
void funlockfile(FILE *file);

#define __PRINTF(n, first) __attribute__((__format__(__printf__, n, first)))
#define __SCANF(n, first) __attribute__((__format__(__scanf__, n, first)))
int printf(const char *restrict format, ...) __PRINTF(1, 2);
int fprintf(FILE *restrict file, const char *restrict format, ...) __PRINTF(2, 3);
int dprintf(int fd, const char *restrict format, ...) __PRINTF(2, 3);
int sprintf(char *restrict to, const char *restrict format, ...) __PRINTF(2, 3);
int snprintf(char *restrict to, size_t size, const char *restrict format, ...) __PRINTF(3, 4);
int asprintf(char **to, const char *format, ...) __PRINTF(2, 3);
int vprintf(const char *restrict format, va_list args) __PRINTF(1, 0);
int vfprintf(FILE *restrict file, const char *restrict format, va_list args) __PRINTF(2, 0);
int vdprintf(int fd, const char *restrict format, va_list args) __PRINTF(2, 0);
int vsprintf(char *restrict to, const char *restrict format, va_list args) __PRINTF(2, 0);
int vsnprintf(char *restrict to, size_t size, const char *restrict format, va_list args) __PRINTF(3, 0);
int vasprintf(char **to, const char *format, va_list args) __PRINTF(2, 0);
int scanf(const char *restrict format, ...) __SCANF(1, 2);
int fscanf(FILE *restrict file, const char *restrict format, ...) __SCANF(2, 3);
int sscanf(const char *restrict text, const char *restrict format, ...) __SCANF(2, 3);
int vscanf(const char *restrict format, va_list args) __SCANF(1, 0);
int vfscanf(FILE *restrict file, const char *restrict format, va_list args) __SCANF(2, 0);
int vsscanf(const char *restrict text, const char *restrict format, va_list args) __SCANF(2, 0);

void perror(const char *text);
int remove(const char *path);
int rename(const char *from, const char *to);
int renameat(int from_dir, const char *from, int to_dir, const char *to);
int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags);

__END_DECLS

#endif
