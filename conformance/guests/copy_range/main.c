/* Copying within the system, and asking for what was written to be kept. */
#include "../names.h"

#include <fcntl.h>
#include <sys/types.h>

int main(void)
{
    char text[64] = "";
    int from = open("from", O_RDWR | O_CREAT | O_TRUNC, 0600), to = open("to", O_RDWR | O_CREAT | O_TRUNC, 0600);
    write(from, "0123456789abcdef", 16);
    lseek(from, 2, SEEK_SET);
    show("copy", copy_file_range(from, NULL, to, NULL, 5, 0));
    show("from is at", lseek(from, 0, SEEK_CUR));
    show("to is at", lseek(to, 0, SEEK_CUR));
    off64_t in = 12, out = 1;
    show("with offsets", copy_file_range(from, &in, to, &out, 100, 0));
    printf("offsets %d %d\n", (int)in, (int)out);
    show("positions stay", lseek(to, 0, SEEK_CUR));
    show("result", pread(to, text, sizeof text, 0));
    printf("%s\n", text);
    show("at the end", copy_file_range(from, &in, to, &out, 1, 0));
    show("nothing", copy_file_range(from, NULL, to, NULL, 0, 0));
    show("flags", copy_file_range(from, NULL, to, NULL, 1, 7));
    int reader = open("from", O_RDONLY), writer = open("to", O_WRONLY);
    show("into a reader", copy_file_range(from, NULL, reader, NULL, 1, 0));
    show("out of a writer", copy_file_range(writer, NULL, to, NULL, 1, 0));
    show("closed", copy_file_range(99, NULL, to, NULL, 1, 0));
    show("fsync", fsync(to));
    show("fdatasync", fdatasync(to));
    show("closed", fsync(99));
    show("range", sync_file_range(to, 0, 4, 2));
    show("bad flags", sync_file_range(to, 0, 4, 99));
    int pair[2];
    pipe(pair);
    show("fsync of a pipe", fsync(pair[1]));
    sync();
    return 0;
}
