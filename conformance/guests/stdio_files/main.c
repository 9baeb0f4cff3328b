/* Streams: modes, buffering, positions, pushback, formatted input, memory streams, errors. */
#include "../names.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static long size_of(const char *path)
{
    int fd = open(path, O_RDONLY);
    long size = lseek(fd, 0, SEEK_END);
    close(fd);
    return size;
}

int main(void)
{
    char text[200], *line = NULL;
    size_t room = 0;
    FILE *file = fopen("data", "w+");
    for (int i = 0; i < 150; i++)
        fprintf(file, "%d squared is %d\n", i, i * i);
    printf("written %ld, on disk less %d\n", ftell(file), size_of("data") < 8227);
    printf("flush %d\n", fflush(file));
    printf("size %ld\n", size_of("data"));
    rewind(file);
    int lines = 0, a, b, wrong = 0;
    while (fscanf(file, "%d squared is %d", &a, &b) == 2) {
        wrong += a != lines || b != a * a;
        lines++;
    }
    printf("read %d, wrong %d, end %d, error %d\n", lines, wrong, feof(file) != 0, ferror(file) != 0);
    printf("seek %d\n", fseek(file, 15, SEEK_SET));
    printf("%s", fgets(text, sizeof text, file));
    printf("tell %ld\n", ftell(file));
    int c = fgetc(file);
    ungetc('X', file);
    printf("%c %c ", c, fgetc(file));
    printf("%c\n", fgetc(file));
    fseek(file, -5, SEEK_END);
    size_t got = fread(text, 1, sizeof text, file);
    printf("fread %zu: %.*s", got, (int)got, text);
    fseek(file, 0, SEEK_SET);
    fputs("OVER", file);
    fseek(file, 0, SEEK_SET);
    fgets(text, sizeof text, file);
    printf("%s", text);
    fpos_t place;
    fgetpos(file, &place);
    fgets(text, sizeof text, file);
    fsetpos(file, &place);
    char other[200];
    fgets(other, sizeof other, file);
    printf("same line again %d\n", !strcmp(text, other));
    printf("close %d\n", fclose(file));

    file = fopen("data", "a+");
    fputs("appended\n", file);
    rewind(file);
    fgets(text, sizeof text, file);
    printf("%s", text);
    fputs("twice\n", file);
    fseek(file, -15, SEEK_END);
    while (fgets(text, sizeof text, file))
        printf("%s", text);
    fclose(file);

    printf("missing: %s\n", fopen("missing", "r") ? "?" : name_of(errno));
    printf("exclusive: %s\n", fopen("data", "wx") ? "?" : name_of(errno));
    printf("bad mode: %s\n", fopen("data", "q") ? "?" : name_of(errno));
    file = fopen("data", "r");
    printf("write to a reader: %d\n", fputc('x', file));
    printf("error %d\n", ferror(file) != 0);
    clearerr(file);
    printf("cleared %d\n", ferror(file));
    ssize_t length = getline(&line, &room, file);
    printf("getline %zd %s", length, line);
    length = getdelim(&line, &room, 'u', file);
    printf("getdelim %zd %s\n", length, line);
    file = freopen("fresh", "w", file);
    fprintf(file, "%s", "reopened");
    fclose(file);
    printf("size %ld\n", size_of("fresh"));
    free(line);

    file = fopen("unbuffered", "w");
    setvbuf(file, NULL, _IONBF, 0);
    fputc('1', file);
    printf("at once %ld\n", size_of("unbuffered"));
    fclose(file);
    file = fopen("lines", "w");
    setvbuf(file, NULL, _IOLBF, 100);
    fputs("no newline", file);
    long before = size_of("lines");
    fputs(", now\n", file);
    printf("line buffered %ld %ld\n", before, size_of("lines"));
    fclose(file);

    char *memory = NULL;
    size_t memory_size = 0;
    file = open_memstream(&memory, &memory_size);
    fprintf(file, "into memory %d", 42);
    fflush(file);
    printf("[%s] %zu\n", memory, memory_size);
    fclose(file);
    free(memory);
    char fixed[] = "12 0x1f word 3.5";
    file = fmemopen(fixed, sizeof fixed, "r");
    int decimal, any;
    char word[16];
    double real;
    printf("%d fields", fscanf(file, "%d %i %15s %lf", &decimal, &any, word, &real));
    printf(": %d %d %s %g\n", decimal, any, word, real);
    fclose(file);
    file = tmpfile();
    fputs("temporary", file);
    rewind(file);
    printf("%s\n", fgets(text, sizeof text, file));
    fclose(file);

    /* What a child has in its buffers is written when it exits, and not when it does not. */
    for (int how = 0; how < 2; how++) {
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            printf("child %d\n", how);
            if (how)
                _exit(0);
            exit(0);
        }
        waitpid(child, NULL, 0);
    }
    puts("puts");
    putchar('c');
    putc('\n', stdout);
    fwrite("fwrite\n", 1, 7, stdout);
    fprintf(stderr, "to standard error\n");
    errno = EACCES;
    perror("perror");
    errno = ENOENT;
    perror(NULL);
    printf("removed %d\n", remove("data"));
    return 0;
}
